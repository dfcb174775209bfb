/** What came of a call: its result, or what a caller can see of its error. */
export type Outcome<T> =
  | { readonly result: T }
  | { readonly error: ErrorFacts; readonly thrown: unknown }

/** What programs look at when a client raises. */
export interface ErrorFacts {
  readonly class: string
  readonly message: string
  readonly [fact: string]: unknown
}

const facts = [
  ...['name', 'status', 'statusCode', 'code', 'type', 'param', 'error', 'headers', 'errorCode'],
  ...['apiMessage', 'details', 'isRetryable', 'data', 'responseBody', 'responseHeaders', 'reason'],
] as const

/** An error by its class and by all that its client puts on it. */
function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { class: typeof error, message: String(error) }
  const known = error as Error & Record<string, unknown>
  const own = facts.flatMap((name) => (name in error ? [[name, known[name]] as const] : []))
  const inner = Array.isArray(known.errors) ? { errors: known.errors.map(errorFacts) } : {}
  return {
    class: error.constructor.name,
    message: error.message,
    ...Object.fromEntries(own),
    ...inner,
  }
}

export async function outcomeOf<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: await call() }
  } catch (thrown) {
    return { error: errorFacts(thrown), thrown }
  }
}

/** The facts of the error that a call ended with; fails when it ended well. */
export function errorOf(outcome: Outcome<unknown>): ErrorFacts {
  if ('error' in outcome) return outcome.error
  throw new Error(`there was no error but ${JSON.stringify(outcome.result)?.slice(0, 300)}`)
}

/** The result of a call; fails with the error when there was one. */
export function resultOf<T>(outcome: Outcome<T>): T {
  if ('result' in outcome) return outcome.result
  throw outcome.thrown
}

// Each connection's own, or documented to be the gateway's.
const ownToEachSide =
  /^(date|connection|keep-alive|transfer-encoding|vary|alt-svc|server-timing|x-response-time|x-request-id|x-ratelimit-.*|x-accel-buffering|x-tidegate-.*|access-control-.*)$/

function passedHeaders(headers: Iterable<readonly [string, string]>): Record<string, unknown> {
  return Object.fromEntries(
    [...headers]
      .filter(([name]) => !ownToEachSide.test(name))
      .map(([name, value]) => [name, scrub(value)]),
  )
}

// The AI SDK's own name for a call and what it measured.
const ownToEachCall = new Set(['thrown', 'callId', 'timestamp', 'performance'])
const headerRecords = new Set(['headers', 'responseHeaders'])

/**
 * The same value without what differs between any two calls: the provider's request ids, the port in
 * an address, measured times, and headers that are not passed on. Errors become their facts.
 */
export function scrub(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .replace(/req_\d+_[0-9a-f]{16}/g, 'req_*')
      .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://origin')
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (value instanceof Headers) return passedHeaders(value)
  if (value instanceof Error) return scrub(errorFacts(value))
  if (Array.isArray(value)) return value.map(scrub)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, entry]) => !ownToEachCall.has(key) && typeof entry !== 'function')
      .map(([key, entry]) => [key, headerRecords.has(key) ? scrubHeaders(entry) : scrub(entry)]),
  )
}

function scrubHeaders(headers: unknown): unknown {
  const isRecord = typeof headers === 'object' && headers !== null && !(headers instanceof Headers)
  return scrub(isRecord ? new Headers(headers as Record<string, string>) : headers)
}
