/** Every literal `code` of this package's errors. */
export type TelemetryErrorCode =
  | 'invalid_label'
  | 'invalid_metric'
  | 'invalid_option'
  | 'redeclared'

/** What every error of this package is: a mistake in how it is used. What is measured never makes one. */
export class TelemetryError<Code extends TelemetryErrorCode = TelemetryErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

const CODES: readonly TelemetryErrorCode[] = [
  'invalid_label',
  'invalid_metric',
  'invalid_option',
  'redeclared',
]

/** Recognises an error of this package, also one of another copy of it. */
export function isTelemetryError(error: unknown): error is TelemetryError {
  if (error instanceof TelemetryError) return true
  if (!(error instanceof Error && 'code' in error && error.name.startsWith('Telemetry')))
    return false
  return CODES.some((code) => code === error.code)
}
