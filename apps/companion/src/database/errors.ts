/** Every literal `code` of the database's errors. */
export type DatabaseErrorCode =
  | 'invalid_option'
  | 'database_in_use'
  | 'database_damaged'
  | 'database_closed'
  | 'lock_lost'
  | 'outside_transaction'
  | 'transaction_ended'
  | 'deadline_exceeded'
  | 'unavailable'
  | 'conflict'
  | 'refused'
  | 'migrations_differ'

/** What PostgreSQL says of a refusal, less every value it would quote. */
export interface DatabaseErrorFacts {
  /** PostgreSQL's five characters, such as `23505`. */
  readonly sqlState?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

/** What every error of the database is. It carries no value of a row and no parameter. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode
  readonly facts: DatabaseErrorFacts

  constructor(
    code: DatabaseErrorCode,
    message: string,
    facts: DatabaseErrorFacts = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'DatabaseError'
    this.code = code
    this.facts = facts
  }
}

/** Recognises an error of the database, and, where one is given, of this code. */
export function isDatabaseError(error: unknown, code?: DatabaseErrorCode): error is DatabaseError {
  return error instanceof DatabaseError && (code === undefined || error.code === code)
}
