/** Every literal `code` of the audit trail's errors. */
export type AuditErrorCode =
  | 'invalid_event'
  | 'invalid_query'
  | 'invalid_key'
  | 'chain_broken'
  | 'export_interrupted'

/** Every error of the audit trail. Its message says what, where and what to do, and repeats no value of a record. */
export class AuditError extends Error {
  readonly code: AuditErrorCode

  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AuditError'
    this.code = code
  }
}
