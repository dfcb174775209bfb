import { hash } from 'node:crypto'

/** What tells one request from another. */
export interface KeyedRequest {
  readonly method: string
  /** With its query; absolute, or a path where all go to the same service. */
  readonly url: string
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Requests with a body, also an empty one, have no key. */
  readonly hasBody?: boolean | undefined
}

/** Headers that differ from call to call without a say in the answer. */
const INDIFFERENT: ReadonlySet<string> = new Set([
  'baggage',
  'b3',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-correlation-id',
  'x-request-id',
])

/**
 * A key that two requests share when one answer is right for both: same method, URL and headers, the
 * credentials among them, less those that only trace calls. Undefined where answers must not be shared:
 * methods other than GET and HEAD, requests with a body, and those that upgrade. It tells no credentials.
 */
export function requestKey({ method, url, headers, hasBody }: KeyedRequest): string | undefined {
  const name = method.toUpperCase()
  if ((name !== 'GET' && name !== 'HEAD') || hasBody) return undefined
  const fields: [string, string | readonly string[]][] = []
  for (const [header, value] of Object.entries(headers)) {
    const lower = header.toLowerCase()
    if (lower === 'upgrade') return undefined
    if (value !== undefined && !INDIFFERENT.has(lower)) fields.push([lower, value])
  }
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return hash('sha256', JSON.stringify([name, url, fields]), 'base64url')
}

/** Whether a header is part of the key, so that a `Vary` on it is satisfied. */
export function isKeyed(header: string): boolean {
  return !INDIFFERENT.has(header.toLowerCase())
}
