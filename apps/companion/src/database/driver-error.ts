import { DatabaseError, type DatabaseErrorCode, type DatabaseErrorFacts } from './errors.ts'

/** Fields of an error of either driver that name parts of the schema and quote no row. */
interface DriverError extends Error {
  readonly code?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

// None of PostgreSQL's begins with E, as Node's own codes do.
const sqlStatePattern = /^[0-9A-DF-Z][0-9A-Z]{4}$/
const uniqueViolation = '23505'
const queryCancelled = '57014'

/** Node's codes of a connection that failed, and what pg says when it has none. */
const connectionCodes = /^E(CONN|PIPE|NOTFOUND|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)/
const connectionWords =
  /connection (terminated|ended|timeout)|timeout exceeded when trying to connect|query read timeout|not queryable/i

/** Classes of SQLSTATE that mean that the server, not the statement, is at fault for now. */
const unavailableClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58', 'XX'])

/** Two transactions were in each other's way: the same one may pass when tried again. */
const conflicts: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])

/** Classes whose messages quote what was sent or stored. */
const quotingClasses: ReadonlySet<string> = new Set(['22', '23', 'P0'])

function factsOf(error: DriverError, sqlState: string): DatabaseErrorFacts {
  const { table, column, constraint } = error
  return {
    sqlState,
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
  }
}

function codeOf(sqlState: string): DatabaseErrorCode {
  if (sqlState === queryCancelled) return 'deadline_exceeded'
  if (conflicts.has(sqlState) || sqlState === uniqueViolation) return 'conflict'
  return unavailableClasses.has(sqlState.slice(0, 2)) ? 'unavailable' : 'refused'
}

function sentence(error: DriverError, facts: DatabaseErrorFacts): string {
  const { sqlState = '', table, column, constraint } = facts
  const parts = [
    `SQLSTATE ${sqlState}`,
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
    ...(constraint === undefined ? [] : [`constraint ${constraint}`]),
  ]
  const words = quotingClasses.has(sqlState.slice(0, 2)) ? '' : `: ${error.message}`
  return `The database refused a statement (${parts.join(', ')})${words}`
}

/**
 * What a driver threw as an error of ours. PostgreSQL's own words are kept only where they name parts
 * of the schema: those of a violated constraint or of a malformed value quote the value.
 */
export function fromDriver(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  const { code = '', message = '' } = (error ?? {}) as DriverError
  if (sqlStatePattern.test(code)) {
    const facts = factsOf(error as DriverError, code)
    return new DatabaseError(codeOf(code), sentence(error as DriverError, facts), facts)
  }
  if (connectionCodes.test(code) || connectionWords.test(message)) {
    const reason = code === '' ? message : code
    return new DatabaseError('unavailable', `The database can't be reached: ${reason}`)
  }
  const name = error instanceof Error ? error.name : typeof error
  return new DatabaseError('unavailable', `The database's driver failed with ${name}.`)
}

/** Whether a row with the same key is there already: of `constraint`, where one is named. */
export function isDuplicate(error: unknown, constraint?: string): boolean {
  if (!(error instanceof DatabaseError) || error.facts.sqlState !== uniqueViolation) return false
  return constraint === undefined || error.facts.constraint === constraint
}
