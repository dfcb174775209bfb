import { type AiProtocol, adminKey, nextId, type Stage, type Way } from './stage.ts'

/** What a client saw of an answer. */
export interface Answer {
  readonly id: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Set when the body did not come to a good end. */
  readonly broken: boolean
  /** The upstream that answered, and after how many attempts. */
  readonly upstream: string | null
  readonly attempts: string | null
  readonly shouldRetry: string | null
}

export interface Asking {
  readonly stream?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Called with all of the body so far whenever more of it has come. */
  readonly onText?: (text: string) => void
  /** In place of the protocol's own. */
  readonly path?: string
  readonly body?: string
}

const paths: Readonly<Record<AiProtocol, string>> = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
}

/** A body for either protocol. */
export function bodyOf(protocol: AiProtocol, stream: boolean): Record<string, unknown> {
  const messages = [{ role: 'user', content: 'Tell me of the tide — 潮 🌊.' }]
  const common = { model: 'tide', messages, ...(stream ? { stream } : {}) }
  if (protocol === 'anthropic') return { ...common, max_tokens: 64 }
  return stream ? { ...common, stream_options: { include_usage: true } } : common
}

/** Asks once, as a client that knows nothing of retries. */
export async function ask(
  { gateway }: Pick<Stage, 'gateway'>,
  protocol: AiProtocol,
  way: Way,
  { stream = false, headers, signal, onText, path = paths[protocol], body }: Asking = {},
): Promise<Answer> {
  const id = nextId()
  const response = await fetch(`${gateway.url}/${way}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
    body: body ?? JSON.stringify(bodyOf(protocol, stream)),
    ...(signal === undefined ? {} : { signal }),
  })
  const { text, broken } = await readAll(response, onText)
  return {
    ...{ id, status: response.status, headers: response.headers, text, broken },
    upstream: response.headers.get('x-tidegate-upstream'),
    attempts: response.headers.get('x-tidegate-attempts'),
    shouldRetry: response.headers.get('x-should-retry'),
  }
}

async function readAll(
  response: Response,
  onText?: Asking['onText'],
): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      onText?.(text)
    }
    return { text, broken: false }
  } catch {
    return { text, broken: true }
  }
}

/** The data of a stream's events; what is no JSON stays text. */
export function eventsOf(text: string): unknown[] {
  return [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => {
    try {
      return JSON.parse(data) as unknown
    } catch {
      return data
    }
  })
}

/** Whether a stream says that it is complete. */
export function saysDone(text: string): boolean {
  return /^data: \[DONE\]$/m.test(text) || /"type":"message_stop"/.test(text)
}

/** A good answer: whole, and with the model that answered. */
export function goodAnswer(model: string) {
  return { status: 200, broken: false, model }
}

/** What `goodAnswer` is compared with. */
export function summaryOf({ status, broken, text }: Answer) {
  return { status, broken, model: /"model":"([^"]*)"/.exec(text)?.[1] }
}

/** What an operator sees of an upstream. */
export async function upstreamHealth(
  { gateway }: Pick<Stage, 'gateway'>,
  name: string,
): Promise<Record<string, unknown>> {
  const url = `${gateway.url}/health/${name}`
  const response = await fetch(url, { headers: { 'x-admin-key': adminKey } })
  return (await response.json()) as Record<string, unknown>
}

export interface FailedRequest {
  readonly request_id: string
  readonly code: string
  readonly attempts: number
  readonly timeline: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** The failed requests that an operator can look at, the newest first. */
export async function failedRequests({
  gateway,
}: Pick<Stage, 'gateway'>): Promise<readonly FailedRequest[]> {
  const url = `${gateway.url}/health/failures`
  const response = await fetch(url, { headers: { 'x-admin-key': adminKey } })
  const { failures } = (await response.json()) as { failures: readonly FailedRequest[] }
  return failures
}
