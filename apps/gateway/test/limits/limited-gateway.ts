import { type Provider, type RunningGateway, startGateway } from '@tidegate/testkit'
import { parseList } from 'structured-headers'

const adminKey = 'admin-of-the-limit-tests'

type Fields = Readonly<Record<string, unknown>>

/** What differs from a gateway with a route for each protocol that asks for keys and limits nobody. */
export interface Limited {
  readonly limits?: Fields
  readonly tiers?: Fields
  /** Of every route. */
  readonly names: readonly string[]
  /** Tiers by the keys that have them; each key is its own id. */
  readonly keys?: Readonly<Record<string, string | undefined>>
  readonly route?: Fields
  readonly server?: Fields
  readonly redis?: string
  /** Added to the configuration. */
  readonly more?: Fields
}

/** Starts a gateway in front of `provider` with these limits. */
export function limitedGateway(provider: Provider, limited: Limited): Promise<RunningGateway> {
  const { limits = {}, tiers = {}, names, keys = {}, route = {}, server = {}, redis } = limited
  const upstream = (protocol: string, path = '/v1') => ({
    protocol,
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url: provider.url + path, apiKey: 'of the provider' }],
  })
  const each = { auth: 'optional', limits: names, ...route }
  return startGateway({
    config: {
      version: 1,
      server,
      admin: { key: adminKey },
      ...(redis !== undefined && { redis: { url: redis } }),
      upstreams: {
        openai: upstream('openai'),
        anthropic: upstream('anthropic'),
        service: upstream('http', ''),
      },
      routes: [
        { match: '/v1/messages/**', upstreams: ['anthropic'], ...each },
        { match: '/v1/**', upstreams: ['openai'], ...each },
        { match: '/**', upstreams: ['service'], ...each },
      ],
      limits,
      tiers,
      auth: {
        keys: Object.entries(keys).map(([id, tier]) => ({
          ...{ id, key: keyOf(id) },
          ...(tier !== undefined && { tier }),
        })),
      },
      ...limited.more,
    },
  })
}

export function keyOf(id: string): string {
  return `key-of-${id}-0123456789`
}

export interface Asked {
  readonly path?: string
  /** The id of the key that is sent. */
  readonly as?: string
  /** The address that a trusted proxy speaks for. */
  readonly from?: string
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export function ask(gateway: RunningGateway, asked: Asked = {}): Promise<Response> {
  const { path = '/echo/x', as, from, body, signal } = asked
  return fetch(gateway.url + path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(as !== undefined && { authorization: `Bearer ${keyOf(as)}` }),
      ...(from !== undefined && { 'x-forwarded-for': from }),
    },
  })
}

/** Asks so many times, one after the other, and tells the statuses. */
export async function statuses(
  gateway: RunningGateway,
  count: number,
  asked?: Asked,
): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < count; i += 1) {
    const response = await ask(gateway, asked)
    await response.arrayBuffer()
    all.push(response.status)
  }
  return all
}

/** What operators see under `/health`. */
export async function health<T = Fields>(gateway: RunningGateway, component: string): Promise<T> {
  const headers = { 'x-admin-key': adminKey }
  return (await (await fetch(`${gateway.url}/health/${component}`, { headers })).json()) as T
}

/** A limit as the headers of the IETF draft tell it, read by a parser of structured fields. */
export function limitsTold({ headers }: Response): Readonly<Record<string, Fields>> {
  const policies = itemsOf(headers.get('ratelimit-policy') ?? '')
  const limits = itemsOf(headers.get('ratelimit') ?? '')
  return Object.fromEntries(
    policies.map(([name, policy]) => [
      name,
      { ...policy, ...limits.find(([other]) => other === name)?.[1] },
    ]),
  )
}

function itemsOf(field: string): [string, Fields][] {
  return parseList(field).map(([name, parameters]) => [
    String(name),
    Object.fromEntries(parameters as Map<string, unknown>),
  ])
}
