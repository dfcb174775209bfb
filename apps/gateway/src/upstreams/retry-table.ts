import type { Protocol } from '../config/settings.ts'

/**
 * Which failures are worth another try, and which speak against the endpoint.
 *
 * Sources: RFC 9110 §9.2.2 (idempotent methods), RFC 6585 (429), RFC 8470 (425); OpenAI's and
 * Anthropic's error references and what their SDKs repeat (408, 409, 429, 5xx); 529 is Anthropic's
 * "overloaded", 520 to 524 are Cloudflare's words for an origin that failed.
 */

/** What became of an attempt that brought no good answer. */
export type FailureKind =
  /** No connection was made: nothing was sent. */
  | 'connect'
  /** The connection broke before the answer was whole. */
  | 'broken'
  /** Nothing came for too long: the endpoint is not asked again for this request. */
  | 'silent'
  /** An answer whose status asks for another try. */
  | 'status'
  /** An answer that asks for other words: they are found, and the same endpoint is asked again. */
  | 'reworded'
  /** Not the upstream's doing, or of no use to repeat. */
  | 'final'

const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'],
])

const AI_CLIENT_ERRORS: ReadonlySet<number> = new Set([408, 409, 425, 429])
const HTTP_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** 501 and 505 say that no repeat will help. */
function isServerFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505
}

/**
 * Whether an answer with this status is worth another try. `advice` is the upstream's own
 * `x-should-retry`, which has the last word.
 */
export function isRetryableStatus(protocol: Protocol, status: number, advice: unknown): boolean {
  if (status < 400) return false
  if (advice === 'false') return false
  if (advice === 'true') return true
  if (protocol === 'http') return HTTP_STATUSES.has(status)
  return AI_CLIENT_ERRORS.has(status) || isServerFault(status)
}

/** Whether the endpoint's breaker counts the answer as a failure. 429 is back-pressure, no fault. */
export function speaksAgainstEndpoint(status: number): boolean {
  return isServerFault(status)
}

/**
 * Whether a request may be sent once more after this failure. AI calls change nothing that a repeat
 * would change again; elsewhere only idempotent methods may, or what was never sent.
 */
export function mayRepeat(protocol: Protocol, method: string, failure: FailureKind): boolean {
  if (failure === 'final') return false
  return protocol !== 'http' || failure === 'connect' || IDEMPOTENT.has(method)
}
