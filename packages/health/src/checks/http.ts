import { type Check, CheckError, type CheckOutcome } from '../core/check.ts'
import { callable, checkNames, count, wrong } from '../core/option-checks.ts'

/** What sends a request: `fetch`, or what is called like it. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

/** What a check gives to `fetch`. */
export interface FetchInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

/** What a check reads of an answer. */
export interface FetchAnswer {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array> | null
}

/** Options of {@link httpCheck}. */
export interface HttpCheckOptions {
  /** What is asked. Neither its query nor its password is ever shown. */
  readonly url: string | URL
  /** Default `GET`. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The status, or statuses, of a good answer. Default: 200 to 299. Redirects aren't followed. */
  readonly expectStatus?: number | readonly number[] | undefined
  /** What is in the body of a good answer: a text, a pattern, or what says whether it is good. */
  readonly expectBody?: string | RegExp | ((body: string) => boolean) | undefined
  /** How much of the body is read, if it is; a longer one is unhealthy. Default 65,536. */
  readonly maxBytes?: number | undefined
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined
}

const NAMES = ['url', 'method', 'headers', 'expectStatus', 'expectBody', 'maxBytes', 'fetch']

/**
 * Asks any HTTP API. Unhealthy unless it answers as expected.
 *
 * @throws HealthError `invalid_option`
 */
export function httpCheck(options: HttpCheckOptions): Check {
  checkNames('httpCheck', options, NAMES)
  const { expectStatus, expectBody, maxBytes = 65_536 } = options
  const { url, headers } = targetOf('httpCheck: url', options.url, options.headers)
  const method = options.method ?? 'GET'
  const send = callable('httpCheck: fetch', options.fetch ?? globalFetch)
  const matches = matcherOf(expectBody)
  const isExpected = statusesOf(expectStatus)
  count('httpCheck: maxBytes', maxBytes, 1)
  return async ({ signal }): Promise<CheckOutcome> => {
    const answer = await send(url, { method, headers: { ...headers }, redirect: 'manual', signal })
    const details = { http_status: answer.status }
    if (!isExpected(answer.status)) {
      await letGo(answer)
      const message = `The answer had the status ${answer.status}.`
      throw new CheckError('unexpected_status', message, { details })
    }
    if (matches === undefined) await letGo(answer)
    else if (!matches(await readText(answer, maxBytes))) {
      throw new CheckError('unexpected_body', 'The answer was not what is expected.', { details })
    }
    return { details }
  }
}

/** The platform's own `fetch`, found when it is called: it may be replaced, as by instrumentation. */
export const globalFetch: Fetch = (url, init) => fetch(url, init)

/**
 * Where to send, and with what headers. A password in the address becomes a header, as `fetch` refuses such
 * addresses with an error that shows them.
 */
export function targetOf(
  name: string,
  url: unknown,
  given: Readonly<Record<string, string>> = {},
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const parsed = URL.parse(String(url))
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw wrong(name, undefined, 'an address that begins with http:// or https://')
  }
  const { username, password } = parsed
  // A connection of its own: one that was kept may have died unnoticed, and proves nothing of the way there.
  const headers: Record<string, string> = { connection: 'close', ...given }
  if (username !== '' || password !== '') {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    headers.authorization ??= `Basic ${Buffer.from(credentials).toString('base64')}`
    parsed.username = ''
    parsed.password = ''
  }
  return { url: parsed.href, headers }
}

/** Reads a body up to a limit. */
export async function readText({ body }: FetchAnswer, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) {
      throw new CheckError('too_large', `The answer is larger than ${maxBytes} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Ends an answer whose body nobody reads: it would hold its connection. */
export async function letGo({ body }: FetchAnswer): Promise<void> {
  const reader = body?.[Symbol.asyncIterator]()
  // A body that fails while it is given up was given up.
  await reader?.return?.().catch(() => undefined)
}

function statusesOf(expected: HttpCheckOptions['expectStatus']): (status: number) => boolean {
  if (expected === undefined) return (status) => status >= 200 && status < 300
  const list = typeof expected === 'number' ? [expected] : expected
  for (const status of list) count('httpCheck: expectStatus', status, 100)
  return (status) => list.includes(status)
}

function matcherOf(
  expected: HttpCheckOptions['expectBody'],
): ((body: string) => boolean) | undefined {
  if (expected === undefined) return undefined
  if (typeof expected === 'function') return expected
  if (typeof expected === 'string') return (body) => body.includes(expected)
  if (expected instanceof RegExp) return (body) => body.search(expected) >= 0
  throw wrong('httpCheck: expectBody', expected, 'a text, a pattern or a function')
}
