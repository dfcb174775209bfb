import type { ResponseHeaders } from './errors.ts'
import type { HeaderValue, HttpTimeouts } from './options.ts'
import type { StandardSchema } from './validation.ts'

type QueryValue = string | number | boolean | null | undefined

/** A query: lists repeat their name, `null` and `undefined` leave it out. */
export type Query = URLSearchParams | Readonly<Record<string, QueryValue | readonly QueryValue[]>>

/** A request's body. What is iterated can be sent only once: such a call is not repeated. */
export type RequestBody = string | Uint8Array | URLSearchParams | AsyncIterable<Uint8Array>

/** What any call can be given. */
export interface SendOptions {
  /** Sent besides the client's; `undefined` leaves one of those out. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
  readonly query?: Query | undefined
  /** Sent as JSON. */
  readonly json?: unknown
  readonly body?: RequestBody | undefined
  /** Ends the call wherever it is, its stream too. */
  readonly signal?: AbortSignal | undefined
  /** In place of the client's. A connection's limit is its pool's. */
  readonly timeouts?: Omit<HttpTimeouts, 'connectMs'> | undefined
  /**
   * Whether the call may be sent again although it may have arrived. Default: for GET, HEAD, OPTIONS, PUT,
   * DELETE and TRACE, and with an `idempotency-key` header.
   */
  readonly idempotent?: boolean | undefined
  /** In place of the client's; `false`: one attempt. Does not turn on what the client has off. */
  readonly retry?: { readonly retries?: number | undefined } | false | undefined
  /** Whether a status of 400 or above is an error. Default true. */
  readonly throwOnStatus?: boolean | undefined
}

/** What a call whose response is read whole can be given. */
export interface CallOptions extends SendOptions {
  /** Says what the response's data is; anything else is a ResponseValidationError. */
  readonly schema?: StandardSchema | undefined
  /** How the body is read. Default: JSON or text where `content-type` says so, bytes otherwise. */
  readonly as?: 'json' | 'text' | 'bytes' | undefined
  /** Shares the response of an equal GET or HEAD that is under way. Default false. */
  readonly dedupe?: boolean | undefined
}

/** A response that came whole. */
export interface HttpResponse<Data> {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ResponseHeaders
  /** `null` where the body is empty. */
  readonly data: Data
  /** How many times the call was sent; 0: answered from the cache. */
  readonly attempts: number
  /** Where the response is from. */
  readonly endpoint: string
}

/** A body as it comes, for one reader. */
export interface ResponseBody extends AsyncIterable<Uint8Array, undefined> {
  /** Wants no more of it: the connection is closed unless the body was whole. */
  cancel(): void
  /**
   * Has all that matters: what is left is thrown away as it comes, so that the connection can be used
   * again; it is closed when that takes more than a moment.
   */
  finish(): void
}

/** A response whose body is still coming. */
export interface HttpStreamResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  /** To be read once. It comes no faster than it is read, and encoded as `content-encoding` says. */
  readonly body: ResponseBody
  readonly attempts: number
  readonly endpoint: string
}
