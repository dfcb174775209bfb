import { type Provider, type RunningGateway, startGateway } from '@tidegate/testkit'

type Fields = Readonly<Record<string, unknown>>

export interface Sharing {
  readonly redis?: string
  /** Added to the configuration. */
  readonly more?: Fields
  readonly cluster?: boolean
  /** What is added to each route. */
  readonly route?: Fields
}

/** The ways in which an answer may be several requests', each under its own prefix. */
export const ways = ['cached', 'coalesced', 'keyed'] as const

type Way = (typeof ways)[number]

/** A gateway in front of `provider` that shares answers in every way. */
export function sharingGateway(
  provider: Provider,
  { redis, more = {}, cluster = false, route = {} }: Sharing = {},
): Promise<RunningGateway> {
  const how: Readonly<Record<Way, Fields>> = {
    cached: { cache: { ttl: '10m', stale: '10m' } },
    coalesced: { coalesce: cluster ? 'cluster' : true },
    keyed: { idempotency: '10m' },
  }
  const endpoints = [{ url: `${provider.url}/v1`, apiKey: 'of the provider' }]
  return startGateway({
    config: {
      version: 1,
      ...(redis !== undefined && { redis: { url: redis } }),
      upstreams: { openai: { protocol: 'openai', retry: 'off', breaker: 'off', endpoints } },
      routes: ways.map((way) => ({
        ...{ match: `/${way}/v1/**`, stripPrefix: `/${way}`, upstreams: ['openai'] },
        ...{ auth: 'required', ...how[way], ...route },
      })),
      auth: { keys: [{ id: 'ada', key: keyOfAda }] },
      ...more,
    },
  })
}

const keyOfAda = 'key-of-ada-0123456789'

export interface Asked {
  readonly way: Way
  /** The model that is asked for, by whose name the answer is known. */
  readonly model: string
  readonly stream?: boolean
  readonly key?: string
  readonly signal?: AbortSignal
}

export function ask({ url }: Pick<RunningGateway, 'url'>, asked: Asked): Promise<Response> {
  const { way, model, stream = false, key, signal } = asked
  const messages = [{ role: 'user', content: 'When is high tide?' }]
  return fetch(`${url}/${way}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages, ...(stream && { stream }) }),
    ...(signal !== undefined && { signal }),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${keyOfAda}`,
      ...(key !== undefined && { 'idempotency-key': key }),
    },
  })
}

/** What is wrong with an answer; `undefined`: nothing. */
export async function faultIn(
  answer: Promise<Response>,
  { model, stream = false }: Asked,
): Promise<string | undefined> {
  try {
    const response = await answer
    const text = await response.text()
    if (response.status !== 200) return `${response.status} ${text}`
    return stream ? faultInStream(text, model) : faultInJson(text, model)
  } catch (error) {
    return `no whole answer: ${String(error)} ${String((error as Error).cause)}`
  }
}

function faultInJson(text: string, model: string): string | undefined {
  const answer = JSON.parse(text) as { model: string }
  return answer.model === model ? undefined : `the answer of ${answer.model} for ${model}`
}

function faultInStream(text: string, model: string): string | undefined {
  if (!text.endsWith('data: [DONE]\n\n')) return `a stream without its end: ${text.slice(-300)}`
  const models = [...text.matchAll(/"model":"([^"]*)"/g)].map(([, name]) => name)
  const other = models.find((name) => name !== model)
  return other === undefined && models.length > 0 ? undefined : `events of ${other} for ${model}`
}
