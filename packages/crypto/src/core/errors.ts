/** What went wrong. */
export type CryptoErrorCode = 'invalid_option'

/** Every error of this package. Its message says what, where and what to do, and never holds a secret. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode

  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CryptoError'
    this.code = code
  }
}
