/** Every literal `code` of this package's errors. */
export type CryptoErrorCode =
  | 'corrupt'
  | 'invalid_option'
  | 'key_not_active'
  | 'not_sealed'
  | 'not_text'
  | 'replay_store_full'
  | 'too_large'
  | 'unknown_key'
  | 'unknown_version'
  | 'weak_secret'
  | 'wrong_context'

/** Every error of this package. Its message says what, where and what to do, and never holds a secret. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode

  constructor(code: CryptoErrorCode, message: string) {
    super(message)
    this.name = 'CryptoError'
    this.code = code
  }
}

const CODES: readonly CryptoErrorCode[] = [
  'corrupt',
  'invalid_option',
  'key_not_active',
  'not_sealed',
  'not_text',
  'replay_store_full',
  'too_large',
  'unknown_key',
  'unknown_version',
  'weak_secret',
  'wrong_context',
]

/** Recognises an error of this package, also one of another copy of it. */
export function isCryptoError(error: unknown): error is CryptoError {
  if (error instanceof CryptoError) return true
  if (!(error instanceof Error && 'code' in error && error.name === 'CryptoError')) return false
  return CODES.some((code) => code === error.code)
}
