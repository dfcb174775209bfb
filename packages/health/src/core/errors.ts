/** Every literal `code` of this package's errors. */
export type HealthErrorCode = 'closed' | 'cycle' | 'duplicate' | 'invalid_option' | 'unknown_check'

/** A mistake in using this package. What checks find out is never thrown: it is in their results. */
export class HealthError extends Error {
  readonly code: HealthErrorCode

  constructor(code: HealthErrorCode, message: string) {
    super(message)
    this.name = 'HealthError'
    this.code = code
  }
}

const CODES: readonly HealthErrorCode[] = [
  'closed',
  'cycle',
  'duplicate',
  'invalid_option',
  'unknown_check',
]

/** Recognises an error of this package, also one of another copy of it. */
export function isHealthError(error: unknown): error is HealthError {
  if (error instanceof HealthError) return true
  if (!(error instanceof Error && 'code' in error && error.name === 'HealthError')) return false
  return CODES.some((code) => code === error.code)
}
