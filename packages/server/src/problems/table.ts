import { type ServerErrorCode, SetupError } from './errors.ts'

/** `error.type` of an OpenAI error. */
export type ProblemType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'api_error'
  | 'upstream_error'

/** Whose fault it is: the caller's, a rule of this server, a server behind it, or this server itself. */
export type Fault = 'client' | 'policy' | 'upstream' | 'gateway'

/** What an error code means to the outside. */
export interface Problem {
  /** The HTTP status, 400 to 599. */
  readonly status: number
  /** What happened, in a few words that are the same each time. */
  readonly title: string
  readonly type: ProblemType
  readonly fault: Fault
  /** What the reader can do about it: one sentence. */
  readonly remedy: string
  /** Tells SDKs by `x-should-retry` to try again or not; left to them if unset. */
  readonly retry?: boolean
  /**
   * Whether clients may read the error's own message in production. Default: when the fault is the
   * client's or a policy's. Messages about upstreams and internals may hold addresses.
   */
  readonly expose?: boolean
}

/** What each error code means. */
export type ProblemTable = Readonly<Record<string, Problem>>

const client = { type: 'invalid_request_error', fault: 'client', retry: false } as const
const own = { type: 'api_error', fault: 'gateway' } as const

/** What the kit's own error codes mean. */
export const SERVER_PROBLEMS = {
  bad_request: {
    ...client,
    status: 400,
    title: 'Bad request',
    remedy: 'Correct the request before sending it again.',
  },
  client_gone: {
    ...client,
    status: 499,
    title: 'Client closed the connection',
    remedy: 'Keep the connection open until the response has arrived.',
  },
  deadline_exceeded: {
    ...own,
    status: 504,
    title: 'Deadline exceeded',
    remedy: 'Try again, ask for less, or have the time limit raised.',
    expose: true,
  },
  expectation_failed: {
    ...client,
    status: 417,
    title: 'Expectation failed',
    remedy: 'Send no Expect header, or "100-continue".',
  },
  forbidden: {
    type: 'permission_error',
    fault: 'policy',
    retry: false,
    status: 403,
    title: 'Forbidden',
    remedy: 'Use credentials that are allowed to do this.',
  },
  header_overflow: {
    ...client,
    status: 431,
    title: 'Request headers too large',
    remedy: 'Send fewer or shorter headers and a shorter URL.',
  },
  internal_error: {
    ...own,
    status: 500,
    title: 'Internal error',
    remedy: 'Try again later, and report the request id if it happens again.',
  },
  invalid_json: {
    ...client,
    status: 400,
    title: 'Malformed JSON',
    remedy: 'Send a body that is valid JSON in UTF-8.',
  },
  invalid_setup: {
    ...own,
    status: 500,
    title: 'Invalid setup',
    remedy: 'Correct the configuration of this server.',
  },
  invalid_target: {
    ...client,
    status: 400,
    title: 'Invalid request target',
    remedy: 'Send a plain path such as /v1/models, percent-encoded where needed.',
  },
  malformed_request: {
    ...client,
    status: 400,
    title: 'Malformed HTTP request',
    remedy: 'Send a request that follows HTTP/1.1.',
  },
  method_not_allowed: {
    ...client,
    status: 405,
    title: 'Method not allowed',
    remedy: 'Use a method that this path supports.',
  },
  missing_field: {
    ...client,
    status: 400,
    title: 'Missing field',
    remedy: 'Add the field named in "param".',
  },
  not_found: {
    ...client,
    status: 404,
    title: 'Not found',
    remedy: 'Check the path and the method.',
  },
  payload_too_large: {
    ...client,
    status: 413,
    title: 'Payload too large',
    remedy: 'Send a smaller body, or have the limit raised.',
  },
  request_timeout: {
    ...client,
    status: 408,
    title: 'Request timeout',
    remedy: 'Send the whole request without long pauses.',
    retry: true,
  },
  too_many_requests: {
    type: 'rate_limit_error',
    fault: 'policy',
    status: 429,
    title: 'Too many requests',
    remedy: 'Slow down and try again later.',
    retry: true,
  },
  unauthorized: {
    type: 'authentication_error',
    fault: 'client',
    retry: false,
    status: 401,
    title: 'Not authenticated',
    remedy: 'Send valid credentials.',
  },
  unavailable: {
    ...own,
    status: 503,
    title: 'Unavailable',
    remedy: 'Try again in a moment.',
    retry: true,
  },
  unsupported_media_type: {
    ...client,
    status: 415,
    title: 'Unsupported media type',
    remedy: 'Send one of the supported content types.',
  },
  validation_failed: {
    ...client,
    status: 400,
    title: 'Validation failed',
    remedy: 'Correct the field named in "param".',
  },
} satisfies Record<ServerErrorCode, Problem>

/**
 * Merges an app's table with the kit's own; for a code that is in both, the app's entry holds. With the
 * app's codes as type argument the compiler finds a forgotten one:
 * `defineProblems<GatewayErrorCode>({ … })`.
 *
 * @throws SetupError for an entry with a status outside 400–599 or without title or remedy.
 */
export function defineProblems<Code extends string>(
  table: Readonly<Record<Code, Problem>>,
): Readonly<Record<Code | ServerErrorCode, Problem>> {
  for (const [code, problem] of Object.entries<Problem>(table)) {
    const { status, title, remedy } = problem
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new SetupError(`The problem "${code}" has status ${status}: it must be 400 to 599.`)
    }
    if (title.trim() === '' || remedy.trim() === '') {
      throw new SetupError(`The problem "${code}" needs a title and a remedy.`)
    }
  }
  return { ...SERVER_PROBLEMS, ...table }
}
