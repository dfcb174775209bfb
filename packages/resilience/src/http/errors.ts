import {
  type AbortedError,
  type BulkheadFullError,
  type CircuitOpenError,
  type RateLimitedError,
  ResilienceError,
  type ResilienceErrorOptions,
  type TimeoutError,
} from '../core/errors.ts'
import type { EgressDeniedError } from './egress-denied.ts'
import { isPassing } from './semantics.ts'

/** A response's headers by lower-case name. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What an error knows of where it happened. */
export interface HttpErrorOptions extends ResilienceErrorOptions {
  /** The endpoint's URL without credentials and query. */
  readonly endpoint?: string | undefined
}

/** No connection could be made, or it broke before the response was whole. */
export class ConnectionError extends ResilienceError<'connection_failed'> {
  readonly code = 'connection_failed'
  readonly endpoint: string | undefined
  /** The system's or TLS's code, such as `ECONNREFUSED`. */
  readonly reason: string
  /** Whether any of the request may have reached the endpoint. */
  readonly sent: boolean

  constructor(reason: string, sent: boolean, options: HttpErrorOptions = {}) {
    const what = sent
      ? 'broke before the response was whole'
      : 'could not be made; nothing was sent'
    super(`The connection${to(options.endpoint)} ${what} (${reason}).`, options)
    this.endpoint = options.endpoint
    this.reason = reason
    this.sent = sent
  }
}

/** What {@link HttpStatusError} tells of the response. */
export interface FailedResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  /** The body's beginning as text. */
  readonly body: string
}

/**
 * The response's status is 400 or above. Its headers and body are readable here, but no own enumerable
 * properties: what logs an error as JSON does not copy what a server said.
 */
export class HttpStatusError extends ResilienceError<'http_status'> {
  readonly code = 'http_status'
  override readonly retryable: boolean
  readonly status: number
  readonly endpoint: string | undefined
  readonly #response: FailedResponse

  constructor(method: string, response: FailedResponse, options: HttpErrorOptions = {}) {
    super(`${method}${to(options.endpoint)} was answered with status ${response.status}.`, options)
    this.status = response.status
    this.retryable = isPassing(response.status)
    this.endpoint = options.endpoint
    this.#response = response
  }

  get headers(): ResponseHeaders {
    return this.#response.headers
  }

  /** Text, cut after 64 KiB; empty where there was none. */
  get body(): string {
    return this.#response.body
  }
}

/** One thing that is wrong with a response's data. */
export interface ValidationIssue {
  readonly message: string
  /** Where in the data, such as `items.0.id`; empty for the whole. */
  readonly path: string
}

/** The response came whole but is not what was asked for: not JSON, or not what the schema says. */
export class ResponseValidationError extends ResilienceError<'invalid_response'> {
  readonly code = 'invalid_response'
  override readonly retryable = false
  readonly status: number
  readonly endpoint: string | undefined
  readonly issues: readonly ValidationIssue[]

  constructor(status: number, issues: readonly ValidationIssue[], options: HttpErrorOptions = {}) {
    const told = issues
      .slice(0, 3)
      .map(({ path, message }) => (path ? `${path}: ${message}` : message))
    const more = issues.length > told.length ? `; and ${issues.length - told.length} more` : ''
    super(`The response${from(options.endpoint)} is not valid: ${told.join('; ')}${more}.`, options)
    this.status = status
    this.endpoint = options.endpoint
    this.issues = issues
  }
}

/** Several endpoints were tried, and none answered. The last failure is the `cause`. */
export class AllEndpointsFailedError extends ResilienceError<'all_endpoints_failed'> {
  readonly code = 'all_endpoints_failed'
  /** Each attempt's failure, in order. */
  readonly errors: readonly Error[]

  constructor(errors: readonly Error[], options: ResilienceErrorOptions = {}) {
    const last = errors.at(-1)
    super(`All ${errors.length} attempts failed; the last: ${last?.message ?? 'unknown'}`, {
      cause: last,
      ...options,
    })
    this.errors = errors
  }
}

/** A body ended before it was whole, after its beginning had been handed out: it can't be repeated. */
export class StreamInterruptedError extends ResilienceError<'stream_interrupted'> {
  readonly code = 'stream_interrupted'
  override readonly retryable = false
  readonly endpoint: string | undefined
  /** Bytes of the body that had come. */
  readonly bytesRead: number

  constructor(bytesRead: number, why: string, options: HttpErrorOptions = {}) {
    super(`The body${from(options.endpoint)} broke off after ${bytesRead} bytes: ${why}`, options)
    this.endpoint = options.endpoint
    this.bytesRead = bytesRead
  }
}

/** The body is larger than `maxResponseBytes`. The connection was closed. */
export class ResponseTooLargeError extends ResilienceError<'response_too_large'> {
  readonly code = 'response_too_large'
  override readonly retryable = false
  readonly endpoint: string | undefined
  readonly limitBytes: number

  constructor(limitBytes: number, options: HttpErrorOptions = {}) {
    super(`The response${from(options.endpoint)} is larger than ${limitBytes} bytes.`, options)
    this.endpoint = options.endpoint
    this.limitBytes = limitBytes
  }
}

/** Everything that a call of the client can fail with, told apart by `code`. */
export type HttpClientError =
  | AbortedError
  | AllEndpointsFailedError
  | BulkheadFullError
  | CircuitOpenError
  | ConnectionError
  | EgressDeniedError
  | HttpStatusError
  | RateLimitedError
  | ResponseTooLargeError
  | ResponseValidationError
  | StreamInterruptedError
  | TimeoutError

const codes: Readonly<Record<HttpClientError['code'], true>> = {
  aborted: true,
  all_endpoints_failed: true,
  bulkhead_full: true,
  circuit_open: true,
  connection_failed: true,
  egress_denied: true,
  http_status: true,
  invalid_response: true,
  rate_limited: true,
  response_too_large: true,
  stream_interrupted: true,
  timeout: true,
}

/** Whether an error is one of the client's, also across copies of this package. */
export function isHttpClientError(error: unknown): error is HttpClientError {
  if (!(error instanceof Error) || !('code' in error) || !('timeline' in error)) return false
  return typeof error.code === 'string' && Object.hasOwn(codes, error.code)
}

function to(endpoint: string | undefined): string {
  return endpoint === undefined ? '' : ` to ${endpoint}`
}

function from(endpoint: string | undefined): string {
  return endpoint === undefined ? '' : ` from ${endpoint}`
}
