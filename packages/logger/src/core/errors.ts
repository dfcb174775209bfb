/** What can be wrong with a logger's options; nothing else in this package throws. */
export type LoggerErrorCode = 'invalid_level' | 'invalid_option' | 'log_file_unwritable'

/** Thrown by `createLogger`: the message says which option is wrong and what to do. */
export class LoggerError extends Error {
  override readonly name = 'LoggerError'
  readonly code: LoggerErrorCode

  constructor(code: LoggerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Recognises a `LoggerError`, also one of another copy of this package. */
export function isLoggerError(error: unknown): error is LoggerError {
  return error instanceof Error && error.name === 'LoggerError' && 'code' in error
}
