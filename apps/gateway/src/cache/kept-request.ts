import { type Exchange, newRequestId, normaliseTarget, type Outcome } from '@tidegate/server'
import type { Context } from 'hono'
import type { Identity } from '../auth/identity.ts'
import type { GatewayEnv } from '../env.ts'
import type { Route } from '../routes.ts'

/** A request that can be made again when nobody asks: what it says, and for whom, without any credential. */
export interface KeptRequest {
  readonly method: string
  /** With its query. */
  readonly target: string
  /** Flat. */
  readonly headers: readonly string[]
  readonly body: Buffer | null
  readonly identity: Identity
}

/** The form of the bytes. */
const FORM = 1

/** As bytes that a cache can keep. */
export function encodeRequest({ body, ...rest }: KeptRequest): Uint8Array {
  return Buffer.from(
    JSON.stringify({ form: FORM, ...rest, body: body?.toString('base64') ?? null }),
  )
}

/** Reads what {@link encodeRequest} made; `undefined` of anything else. */
export function decodeRequest(encoded: Uint8Array): KeptRequest | undefined {
  try {
    const { form, ...rest } = JSON.parse(Buffer.from(encoded).toString())
    if (form !== FORM) return undefined
    return { ...rest, body: rest.body === null ? null : Buffer.from(rest.body, 'base64') }
  } catch {
    return undefined
  }
}

/**
 * A context such as stages find it, for a request that no client has sent. It has what a call is made from;
 * nothing can be answered in it.
 */
export function contextOf(request: KeptRequest, route: Route): Context<GatewayEnv> {
  const { method, target, headers, identity } = request
  const byName: Record<string, string> = {}
  for (let i = 0; i + 1 < headers.length; i += 2) {
    byName[(headers[i] ?? '').toLowerCase()] = headers[i + 1] ?? ''
  }
  const variables: Record<string, unknown> = {
    exchange: exchangeOf(method, route),
    protocol: route.primary.protocol,
    identity,
  }
  const incoming = {
    ...{ target: normaliseTarget(target), headers: byName, rawHeaders: headers },
    ...{ upgraded: undefined, secure: false },
  }
  return {
    get: (name: string) => variables[name],
    set: (name: string, value: unknown) => {
      variables[name] = value
    },
    env: { incoming },
  } as unknown as Context<GatewayEnv>
}

function exchangeOf(method: string, route: Route): Exchange {
  const startedAt = performance.now()
  const { signal } = new AbortController()
  const outcome: Outcome = 'open'
  return {
    ...{ requestId: newRequestId(), clientRequestId: undefined, method, service: 'gateway' },
    // What it says of how its clients call us is an operator's word, or was seen to be so.
    ...{ peerIp: '127.0.0.1', clientIp: '127.0.0.1', peerTrusted: true, forwarded: false },
    ...{ startedAt, route: route.match, client: undefined, tenant: undefined },
    hop: `upstream ${route.primary.name}`,
    ...{ status: 0, bytesOut: 0, outcome, errorCode: undefined, fault: undefined },
    deadlineAt: startedAt + route.primary.timeouts.total,
    ...{ sent: false, signal, abortReason: undefined, timings: [], headers: [] },
    ...{ clientMs: 0, ownMs: undefined, stream: false },
    abort: () => {},
  }
}
