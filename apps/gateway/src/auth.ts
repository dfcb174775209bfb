import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import type { AuthMode, KeySettings } from './config/settings.ts'
import type { GatewayEnv } from './env.ts'
import { GatewayError } from './problems.ts'

/** Who a key belongs to. */
interface Identity {
  readonly id: string
  readonly tier: string | undefined
}

/** Finds the owner of a presented key; `undefined` when nobody has it. */
export type KeyRing = (presented: string) => Identity | undefined

/**
 * Keys are kept and looked up as SHA-256 digests, so that neither the look-up nor the comparison tells
 * by its time how much of a guess was right.
 *
 * A header's value comes from Node as Latin-1, one character a byte. A client may have sent a key that
 * isn't ASCII as UTF-8 or as Latin-1: both are tried.
 */
export function createKeyRing(keys: readonly KeySettings[]): KeyRing {
  const owners = new Map<string, { readonly digest: Buffer; readonly identity: Identity }>()
  for (const { id, tier, secret } of keys) {
    const digest =
      'plain' in secret ? hash('sha256', secret.plain.reveal(), 'hex') : secret.sha256.toLowerCase()
    owners.set(digest, { digest: Buffer.from(digest, 'hex'), identity: { id, tier } })
  }
  const find = (key: string | Buffer): Identity | undefined => {
    const digest = hash('sha256', key, 'hex')
    const owner = owners.get(digest)
    if (owner === undefined) return undefined
    return timingSafeEqual(owner.digest, Buffer.from(digest, 'hex')) ? owner.identity : undefined
  }
  return (presented) => {
    if (isAscii(presented)) return find(presented)
    return find(Buffer.from(presented, 'latin1')) ?? find(presented)
  }
}

/** Where a client may put its key, in the order in which they are looked at. */
const keyHeaders = ['authorization', 'x-api-key', 'api-key'] as const

/** A key as the client presented it, and the header it came in. */
interface Presented {
  readonly header: (typeof keyHeaders)[number]
  readonly key: string
}

export function presentedKeys(headers: IncomingHttpHeaders): Presented[] {
  const found: Presented[] = []
  for (const header of keyHeaders) {
    const value = headers[header]
    if (typeof value !== 'string') continue
    const key = header === 'authorization' ? bearer(value) : value
    if (key !== undefined && key !== '') found.push({ header, key })
  }
  return found
}

export interface AuthFailure {
  readonly reason: 'missing' | 'unknown'
  readonly header?: string
}

/**
 * Lets a request with a known key pass as that key's owner. Without any key it is refused where the
 * route requires one; a key that nobody has is refused also where keys are optional, as its sender
 * believes to be somebody.
 */
export function authenticate(
  mode: Exclude<AuthMode, 'none'>,
  ring: KeyRing,
  onFailure: (exchange: GatewayEnv['Variables']['exchange'], failure: AuthFailure) => void,
): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const exchange = c.get('exchange')
    const presented = presentedKeys(c.env.incoming.headers)
    // A client may send its key in several headers: none of them goes on.
    const consumed: string[] = []
    for (const { header, key } of presented) {
      const identity = ring(key)
      if (identity === undefined) continue
      exchange.client ??= identity.id
      consumed.push(header)
    }
    if (consumed.length > 0) {
      c.set('consumedHeaders', consumed)
      return next()
    }
    const first = presented[0]
    if (first === undefined && mode === 'optional') return next()
    if (first === undefined) {
      onFailure(exchange, { reason: 'missing' })
      throw new GatewayError('missing_api_key', 'No API key was sent.', challenge)
    }
    onFailure(exchange, { reason: 'unknown', header: first.header })
    const message = `The key in "${first.header}" is not known here.`
    throw new GatewayError('invalid_api_key', message, challenge)
  }
}

const challenge = { facts: { authenticate: 'Bearer realm="tidegate"' } }

/** The token of a Bearer credential (RFC 6750 §2.1); the scheme's name is case-insensitive. */
function bearer(value: string): string | undefined {
  if (value.length < 8 || value[6] !== ' ') return undefined
  return value.slice(0, 6).toLowerCase() === 'bearer' ? value.slice(7).trim() : undefined
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
