import { type Provider, type RunningGateway, startGateway } from '@tidegate/testkit'

type Fields = Readonly<Record<string, unknown>>

export interface Keyed {
  readonly redis?: Fields
  /** Of every route, beside its `idempotency`. */
  readonly route?: Fields
  readonly tier?: Fields
  readonly window?: string
  readonly server?: Fields
}

const CALLERS = ['ada', 'bob', 'eve'] as const

export type Caller = (typeof CALLERS)[number]

/**
 * A gateway that replays by `Idempotency-Key`: `/v1/**` for who has a key, `/open/**` for anybody, where the
 * upstream's own credential goes up, and `/passed/**`, where the client's does.
 */
export function keyedGateway(provider: Provider, keyed: Keyed = {}): Promise<RunningGateway> {
  const { redis, route = {}, tier, window = '1h', server = {} } = keyed
  const upstream = (protocol: string, path: string, apiKey?: string) => ({
    ...{ protocol, retry: 'off', breaker: 'off' },
    endpoints: [{ url: provider.url + path, ...(apiKey !== undefined && { apiKey }) }],
  })
  const each = {
    idempotency: window,
    ...(tier !== undefined && { limits: ['tier'] }),
    ...route,
  }
  return startGateway({
    config: {
      version: 1,
      server,
      ...(redis !== undefined && { redis }),
      upstreams: {
        openai: upstream('openai', '/v1', 'of the provider'),
        service: upstream('http', ''),
        replaced: upstream('http', '', 'of the provider'),
      },
      routes: [
        { match: '/v1/**', upstreams: ['openai'], auth: 'required', ...each },
        { match: '/service/**', upstreams: ['service'], auth: 'required', ...each },
        { match: '/open/**', upstreams: ['replaced'], auth: 'none', ...each },
        { match: '/passed/**', upstreams: ['service'], auth: 'none', ...each },
      ],
      ...(tier !== undefined && { tiers: { one: tier } }),
      auth: {
        keys: CALLERS.map((id) => ({
          ...{ id, key: keyOf(id) },
          ...(tier !== undefined && { tier: 'one' }),
        })),
      },
    },
  })
}

export function keyOf(id: Caller): string {
  return `key-of-${id}-0123456789`
}

export const question = {
  model: 'tide',
  messages: [{ role: 'user', content: 'When is high tide?' }],
}
export const streamed = { ...question, stream: true }

export interface Asked {
  readonly path?: string
  readonly method?: string
  readonly as?: Caller
  /** Its `Idempotency-Key`, as it is sent. */
  readonly key?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export function ask(gateway: Pick<RunningGateway, 'url'>, asked: Asked = {}): Promise<Response> {
  const { path = '/v1/chat/completions', method = 'POST', as = 'ada', key, signal } = asked
  const { body = question } = asked
  return fetch(gateway.url + path, {
    method,
    ...(method !== 'GET' && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
    headers: {
      ...(method !== 'GET' && { 'content-type': 'application/json' }),
      ...(!/^\/(open|passed)/.test(path) && { authorization: `Bearer ${keyOf(as)}` }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...asked.headers,
    },
  })
}

/** An answer, as far as a replay has to be like it. */
export interface Told {
  readonly status: number
  readonly type: string | null
  readonly body: string
  readonly replayed: boolean
  readonly requestId: string | null
}

export async function told(response: Response | Promise<Response>): Promise<Told> {
  const { status, headers, body } = await withBody(await response)
  return {
    ...{ status, body, type: headers.get('content-type') },
    replayed: headers.get('idempotent-replayed') === 'true',
    requestId: headers.get('x-request-id'),
  }
}

async function withBody(response: Response) {
  const { status, headers } = response
  return { status, headers, body: Buffer.from(await response.arrayBuffer()).toString('latin1') }
}

/** The code of a problem, and its status. */
export async function refusal(response: Promise<Response>): Promise<readonly [number, string]> {
  const answer = await response
  const { code } = (await answer.json()) as { code: string }
  return [answer.status, code]
}

let drawn = 0

/** A key that nobody else has. */
export function freshKey(): string {
  drawn += 1
  return `order-${process.pid}-${drawn}`
}
