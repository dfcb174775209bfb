import type { Deadline } from './deadline.ts'
import type { RunStatement } from './queries.ts'

/**
 * What one kind of server has to offer; the rules that hold for both are added on top of it. Whatever
 * goes wrong on its side is a DatabaseError.
 */
export interface Driver {
  readonly kind: 'embedded' | 'postgres'
  /** Runs a statement in a transaction of its own. */
  readonly run: RunStatement
  /** Begins, runs `work`, and commits when it resolves or rolls back when it throws. */
  transact<T>(work: (run: RunStatement) => Promise<T>, how: TransactHow): Promise<T>
  /** Writes a whole copy of the database to a file, where the driver can. */
  readonly snapshot?: () => Promise<string>
  /** Waits for what is running, and lets go of the server. */
  close(): Promise<void>
}

/** How a driver runs one transaction. */
export interface TransactHow {
  readonly deadline: Deadline
  readonly readOnly: boolean
}
