import { createHash } from 'node:crypto'
import {
  canary,
  freePort,
  type LogRecord,
  type Provider,
  type RecordedRequest,
  type RunningGateway,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { expect } from 'vitest'
import { type Outcome, outcomeOf, scrub } from './outcome.ts'

/** One of two ways to a provider: straight to it, or through the gateway. */
export interface Side {
  readonly provider: Provider
  /** What a client takes for the provider's origin. */
  readonly url: string
  /** The key that a client on this side has. */
  readonly apiKey: string
}

/** Two providers that answer alike, one of them behind a gateway. */
export interface Sides extends AsyncDisposable {
  readonly direct: Side
  readonly through: Side
  readonly gateway: RunningGateway
  /** What the gateway's endpoints are configured with: the only key either provider takes. */
  readonly providerKey: string
  /** Tells both providers the same. */
  tell(behave: (provider: Provider) => void): void
  /** Forgets on both sides what was received and told. */
  reset(): void
  /** Makes the same call on both sides and gives back what came of each. */
  both<T>(call: (side: Side) => Promise<T>): Promise<{ direct: Outcome<T>; through: Outcome<T> }>
  /**
   * Makes the same call on both sides; its result or error must be the same, and so must be every
   * request that reached the providers.
   */
  same<T>(call: (side: Side) => Promise<T>): Promise<Outcome<T>>
}

/** The paths under which the gateway of these tests serves upstreams with something wrong or special. */
export const detours = {
  /** Nobody listens there. */
  down: '/down',
  /** The endpoint's own key is not one that the provider knows. */
  misKeyed: '/mis-keyed',
  /** Waits a third of a second for a sign of life. */
  impatient: '/impatient',
  /** Has little time for the whole. */
  brief: '/brief',
  /** No key at either end but the client's own. */
  open: '/open',
} as const

/** The gateway's side under a detour. */
export function detoured({ through }: Sides, path: string): Side {
  return { ...through, url: through.url + path }
}

function configuration(
  upstream: string,
  down: string,
  keys: { gateway: string; provider: string },
) {
  const endpoints = [{ url: `${upstream}/v1`, apiKey: keys.provider }]
  // Compared with going direct: what the gateway itself repeats is for other tests.
  const once = { retry: 'off', breaker: 'off' }
  const misKeyed = [{ url: `${upstream}/v1`, apiKey: 'sk-revoked' }]
  return {
    version: 1,
    upstreams: {
      openai: { protocol: 'openai', ...once, endpoints },
      anthropic: { protocol: 'anthropic', ...once, endpoints },
      down: { protocol: 'openai', ...once, endpoints: [{ url: down }] },
      'anthropic-down': {
        protocol: 'anthropic',
        ...once,
        endpoints: [{ url: down }],
      },
      'mis-keyed': { protocol: 'openai', ...once, endpoints: misKeyed },
      impatient: {
        ...{ protocol: 'openai', ...once, endpoints },
        timeouts: { firstByte: '300ms', idle: '300ms' },
      },
      brief: { protocol: 'openai', ...once, endpoints, timeouts: { total: '1500ms' } },
      open: {
        protocol: 'openai',
        ...once,
        endpoints: [{ url: `${upstream}/v1` }],
      },
    },
    routes: [
      { match: '/v1/messages', upstreams: ['anthropic'] },
      { match: '/v1/messages/**', upstreams: ['anthropic'] },
      { match: '/v1/**', upstreams: ['openai'] },
      {
        match: `${detours.down}/v1/messages`,
        upstreams: ['anthropic-down'],
        stripPrefix: detours.down,
      },
      detour('down', detours.down),
      detour('mis-keyed', detours.misKeyed),
      detour('impatient', detours.impatient),
      detour('brief', detours.brief),
      { ...detour('open', detours.open), auth: 'none' },
    ],
    auth: { keys: [{ id: 'app', key: keys.gateway }] },
  }
}

function detour(upstream: string, stripPrefix: string) {
  return { match: `${stripPrefix}/**`, upstreams: [upstream], stripPrefix }
}

/** Starts both providers and the built gateway before the second of them. */
export async function startSides(): Promise<Sides> {
  await using stack = new AsyncDisposableStack()
  const keys = { gateway: canary('gatewaykey', 'tg-'), provider: canary('providerkey', 'sk-') }
  const alone = stack.use(await startProvider({ apiKeys: [keys.provider] }))
  const behind = stack.use(await startProvider({ apiKeys: [keys.provider] }))
  const down = `http://127.0.0.1:${await freePort()}/v1`
  const config = configuration(behind.url, down, keys)
  const gateway = stack.use(await startGateway({ config }))
  const direct = { provider: alone, url: alone.url, apiKey: keys.provider }
  const through = { provider: behind, url: gateway.url, apiKey: keys.gateway }
  const both: Sides['both'] = async (call) => {
    const [one, other] = await Promise.all([
      outcomeOf(() => call(direct)),
      outcomeOf(() => call(through)),
    ])
    return { direct: one, through: other }
  }
  const kept = stack.move()
  return {
    ...{ direct, through, gateway, providerKey: keys.provider, both },
    tell(behave) {
      for (const { provider } of [direct, through]) behave(provider)
    },
    reset() {
      for (const { provider } of [direct, through]) provider.reset()
    },
    async same(call) {
      const outcomes = await both(call)
      expect(scrub(outcomes.through)).toEqual(scrub(outcomes.direct))
      expectSameRequests(direct, through)
      return outcomes.through
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}

/** Both providers were asked the same, as often; the gateway's key reached neither. */
function expectSameRequests(direct: Side, through: Side): void {
  expect(through.provider.requests.map(essence)).toEqual(direct.provider.requests.map(essence))
  expect(through.provider.protocolErrors).toEqual([])
  for (const request of through.provider.requests) {
    const received = `${request.target}\n${request.rawHeaders.join('\n')}\n${request.text}`
    expect(received).not.toContain(through.apiKey)
  }
}

// Credentials and ids are each side's own, and so is what belongs to one connection.
const ownToEachSide = new Set(['authorization', 'x-api-key', 'x-request-id', 'host', 'connection'])

function essence(request: RecordedRequest): unknown {
  const boundary = /boundary=([^;]+)/.exec(request.header('content-type') ?? '')?.[1]
  const unbound = (text: string) =>
    boundary === undefined ? text : text.replaceAll(boundary, 'BOUNDARY')
  const headers = Object.entries(request.headers)
    .filter(([name]) => !ownToEachSide.has(name))
    .map(([name, value]) => `${name}: ${unbound(String(value))}`)
    .sort()
  const body = createHash('sha256')
    .update(unbound(request.body.toString('latin1')))
    .digest('hex')
  const { method, target, bodyComplete } = request
  return { method, target, headers, body, size: request.body.length, bodyComplete }
}

/** The lines that the gateway wrote at the end of requests with this id. */
export function requestLines(gateway: RunningGateway, requestId: string): LogRecord[] {
  return gateway.logs.filter((line) => line.request_id === requestId && line.message === 'request')
}

/**
 * Waits for the line of the request with this id, and then for that of a later request: what would
 * have been written twice has been by then.
 */
export async function onlyRequestLine(
  gateway: RunningGateway,
  requestId: string,
): Promise<LogRecord> {
  const isLineOf = (id: string) => (line: LogRecord) =>
    line.request_id === id && line.message === 'request'
  await gateway.waitForLog(isLineOf(requestId))
  const later = `after-${requestId}`
  await fetch(`${gateway.url}/livez`, { headers: { 'x-request-id': later } })
  await gateway.waitForLog(isLineOf(later))
  const lines = requestLines(gateway, requestId)
  expect(lines).toHaveLength(1)
  return lines[0] ?? {}
}
