import { type Provider, type RunningGateway, startGateway } from '@tidegate/testkit'

export const adminKey = 'admin-of-the-failover-tests'

/** Long enough for anything that these tests expect to happen, short enough to wait for. */
export const silenceMs = 400

type Fields = Readonly<Record<string, unknown>>

/** An upstream at these addresses that gives up, tries again and recovers quickly. */
export function upstreamAt(
  endpoints: ReadonlyArray<Provider | Fields>,
  { protocol = 'openai', retry = {}, ...more }: { retry?: Fields | string } & Fields = {},
) {
  return {
    protocol,
    endpoints: endpoints.map((each) => ({ ...each, url: `${String(each.url)}/v1` })).map(pick),
    timeouts: { connect: '500ms', firstByte: `${silenceMs}ms`, idle: `${silenceMs}ms` },
    retry: typeof retry === 'string' ? retry : { retries: 2, initial: '10ms', max: '1s', ...retry },
    ...more,
  }
}

/** Of a provider only its address belongs into a configuration. */
function pick({ url, weight, apiKey }: Fields): Fields {
  return { url, ...(weight !== undefined && { weight }), ...(apiKey !== undefined && { apiKey }) }
}

interface GatewayOptions {
  readonly route?: Fields
  readonly routes?: readonly Fields[]
  readonly server?: Fields
}

/**
 * A gateway whose last route leads to these upstreams, in this order; those that are given as `routes`
 * come before it.
 */
export async function gatewayOf(
  upstreams: Fields,
  { route = {}, routes = [], server = {} }: GatewayOptions = {},
): Promise<RunningGateway> {
  const config = {
    version: 1,
    server,
    admin: { key: adminKey },
    upstreams,
    routes: [
      ...routes.map((each) => ({ auth: 'none', ...each })),
      { match: '/**', upstreams: Object.keys(upstreams), auth: 'none', ...route },
    ],
  }
  return await startGateway({ config })
}

/** What a client saw of an answer. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Set when the body did not come to a good end. */
  readonly broken: boolean
  /** The upstream that answered, and after how many attempts. */
  readonly upstream: string | null
  readonly attempts: number
}

export interface Asking {
  readonly path?: string
  readonly method?: string
  readonly model?: string
  readonly stream?: boolean
  /** In place of a question to a model. */
  readonly body?: string | FormData | Uint8Array<ArrayBuffer> | null
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Asks once, as a client that knows nothing of retries. */
export async function ask(
  gateway: RunningGateway,
  { path = '/v1/chat/completions', method = 'POST', ...asking }: Asking = {},
): Promise<Answer> {
  const { model = 'tide', stream = false, headers = {}, signal } = asking
  const question = { model, messages: [{ role: 'user', content: 'When is high tide?' }], stream }
  const { body = JSON.stringify(question) } = asking
  const isText = typeof body === 'string'
  const response = await fetch(gateway.url + path, {
    method,
    headers: { ...(isText && { 'content-type': 'application/json' }), ...headers },
    ...(body !== null && method !== 'GET' && { body }),
    ...(signal !== undefined && { signal }),
  })
  const { text, broken } = await readAll(response)
  return {
    ...{ status: response.status, headers: response.headers, text, broken },
    upstream: response.headers.get('x-tidegate-upstream'),
    attempts: Number(response.headers.get('x-tidegate-attempts')),
  }
}

async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true })
    return { text, broken: false }
  } catch {
    return { text, broken: true }
  }
}

/** The code of one of the gateway's own errors. */
export function codeOf({ text }: Answer): unknown {
  return (JSON.parse(text) as { code?: unknown }).code
}

/** What an operator sees under `/health`. */
export async function healthOf<T>(gateway: RunningGateway, component: string): Promise<T> {
  const headers = { 'x-admin-key': adminKey }
  return (await (await fetch(`${gateway.url}/health/${component}`, { headers })).json()) as T
}

export interface UpstreamHealth {
  readonly status: string
  readonly pending: number
  readonly queued: number
  readonly retry_budget: number
  readonly attempts: number
  readonly failed: number
  readonly endpoints: ReadonlyArray<Readonly<Record<string, unknown>>>
}
