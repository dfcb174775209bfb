/** Statuses that say that another attempt may do better (RFC 9110 §15.5.9 and §15.6, 6585, 8470). */
export const RETRYABLE_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504]

/** Methods that may be repeated without a second effect (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
])

/** Whether a method may be sent a second time without a second effect. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** Whether another attempt may do better after an answer with this status. */
export function isPassing(status: number): boolean {
  return isServerFault(status) || RETRYABLE_STATUSES.includes(status)
}

/** Whether a status speaks against the endpoint. 501 and 505 speak against the request. */
export function isServerFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505
}
