/**
 * Refusals that may be another answer the next time, as nothing was judged yet: who asks (401, 403, 407), what
 * is paid for (402), what came too slowly (408), what is in the way (409, 423), what came too early (424, 425),
 * and how much was asked (429).
 */
const PASSING = new Set([401, 402, 403, 407, 408, 409, 421, 423, 424, 425, 429])

/**
 * Whether a complete answer with this head settles the request, so that a repeat of it gets the same. What
 * doesn't, a repeat may turn into a success: the upstream is asked again.
 *
 * `shouldRetry` is the answer's `x-should-retry`, by which AI providers overrule their status.
 */
export function isKept(status: number, shouldRetry: string | undefined): boolean {
  if (shouldRetry === 'true') return false
  // A part, or a way round for this once, is not the answer.
  if (status < 200 || status === 206 || status === 307) return false
  return status < 500 && !PASSING.has(status)
}
