import type { Queries } from './queries.ts'

/** How one transaction runs. */
export interface TransactionOptions {
  /** Milliseconds that the whole transaction may take. Absent: each statement has the pool's limit. */
  readonly timeoutMs?: number
  /** Aborting it rolls back, and ends the statement that is running. */
  readonly signal?: AbortSignal
  /** Refuses writes. Default false. */
  readonly readOnly?: boolean
}

/** The companion's database, whichever server is behind it. */
export interface Database {
  readonly kind: 'embedded' | 'postgres'
  /** Single statements, each its own transaction. */
  readonly orm: Queries
  /**
   * Runs `work` in a transaction and commits when it resolves; whatever it throws rolls back and is
   * thrown on. Once this resolves, the writes are acknowledged.
   *
   * @throws DatabaseError `outside_transaction` inside of another one; `deadline_exceeded` when its
   *   time is over.
   */
  transaction<T>(work: (tx: Queries) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** Resolves when the database answers. @throws DatabaseError when it doesn't. */
  probe(options?: { readonly timeoutMs?: number }): Promise<void>
  /**
   * Writes a copy of an embedded database, from which another can begin, and gives its path; it blocks
   * this process for about a second. Absent on PostgreSQL, which has tools of its own.
   */
  readonly snapshot?: () => Promise<string>
  /** Waits for what is running, and lets go of the server or the folder. Again: waits for the same. */
  close(): Promise<void>
}
