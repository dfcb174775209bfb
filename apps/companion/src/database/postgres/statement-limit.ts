import type { Deadline } from '../deadline.ts'
import type { RunStatement } from '../queries.ts'
import type { Connection } from './connection.ts'

/** What limits each statement of the rest of a transaction. */
export function limitText(remainingMs: number): string {
  return `set local statement_timeout = ${remainingMs}`
}

/**
 * Statements of a transaction, none of which outlasts the deadline by more than was left when the
 * limit was last stated: it is stated again whenever half of it has passed.
 */
export function limitedStatements(
  connection: Pick<Connection, 'command' | 'send'>,
  deadline: Deadline,
): RunStatement {
  let statedMs = deadline.remainingMs()
  return async (statement) => {
    const timeoutMs = deadline.remainingMs()
    if (timeoutMs === undefined || statedMs === undefined) return await connection.send(statement)
    if (timeoutMs < statedMs / 2) {
      await connection.command(limitText(timeoutMs))
      statedMs = timeoutMs
    }
    return await connection.send({ ...statement, timeoutMs })
  }
}
