/** The headers by which a server says when to come back. */
export interface RetryAfterHeaders {
  readonly 'retry-after'?: string | readonly string[] | undefined
  readonly 'retry-after-ms'?: string | readonly string[] | undefined
}

const DECIMAL = /^\d+(?:\.\d+)?$/

/** The three forms of RFC 9110 §5.6.7: IMF-fixdate, RFC 850 and asctime. */
const HTTP_DATE =
  /^[A-Z][a-z]{2,8}(?:, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT| [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})$/

/**
 * Milliseconds after which a server wants to be asked again, from `retry-after-ms` or else from
 * `retry-after` (RFC 9110 §10.2.3: seconds, also with decimals, or a date). A date that has passed is 0;
 * `undefined` when neither header says anything valid. Never more than `Number.MAX_SAFE_INTEGER`.
 *
 * @param headers With lower-case names; of a repeated header the first one counts.
 * @param nowEpochMs The time, as `Date.now()` tells it.
 */
export function parseRetryAfter(
  headers: RetryAfterHeaders,
  nowEpochMs: number,
): number | undefined {
  const precise = first(headers['retry-after-ms'])
  if (precise !== undefined && DECIMAL.test(precise)) return bounded(Number(precise))
  const value = first(headers['retry-after'])
  if (value === undefined) return undefined
  if (DECIMAL.test(value)) return bounded(Number(value) * 1_000)
  const date = parseHttpDate(value)
  return date === undefined ? undefined : bounded(date - nowEpochMs)
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return (typeof value === 'string' ? value : value?.[0])?.trim()
}

function parseHttpDate(value: string): number | undefined {
  if (!HTTP_DATE.test(value)) return undefined
  // asctime names no zone, and would be read as local time.
  const date = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(date) ? undefined : date
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER)
}
