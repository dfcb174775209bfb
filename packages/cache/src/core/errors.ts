/** Every literal `code` of this package's errors. */
export type CacheErrorCode =
  | 'invalid_key'
  | 'invalid_option'
  | 'invalid_value'
  | 'timeout'
  | 'unserializable'

/** What every error of this package is. A factory's own error passes as it is. */
export class CacheError<Code extends CacheErrorCode = CacheErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A factory took longer than its hard timeout, and nothing stale was there to be served instead. */
export class CacheTimeoutError extends CacheError<'timeout'> {
  /** How long it was waited for. */
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(
      'timeout',
      `The factory hasn't answered within ${timeoutMs} ms. Make it faster, raise hardTimeout, or allow stale values.`,
    )
    this.timeoutMs = timeoutMs
  }
}

const CODES: readonly CacheErrorCode[] = [
  'invalid_key',
  'invalid_option',
  'invalid_value',
  'timeout',
  'unserializable',
]

/** Recognises an error of this package, also one of another copy of it. */
export function isCacheError(error: unknown): error is CacheError {
  if (error instanceof CacheError) return true
  if (!(error instanceof Error && 'code' in error && error.name.startsWith('Cache'))) return false
  return CODES.some((code) => code === error.code)
}
