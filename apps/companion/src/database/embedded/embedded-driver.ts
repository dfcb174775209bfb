import { type PGlite, type Transaction, types } from '@electric-sql/pglite'
import { within } from '../deadline.ts'
import type { Driver, TransactHow } from '../driver.ts'
import { fromDriver } from '../driver-error.ts'
import type { RunStatement, Statement, StatementResult } from '../queries.ts'
import type { FolderLock } from './folder-lock.ts'
import type { Snapshots } from './snapshots.ts'

const asText = (value: string) => value

/** Times stay text, as the query builder's columns expect them. */
const parsers = {
  [types.TIMESTAMP]: asText,
  [types.TIMESTAMPTZ]: asText,
  [types.DATE]: asText,
  [types.INTERVAL]: asText,
}

async function send(
  client: PGlite | Transaction,
  { text, values, rows }: Statement,
): Promise<StatementResult> {
  try {
    const rowMode = rows === 'arrays' ? ('array' as const) : ('object' as const)
    const result = await client.query(text, [...values], { rowMode, parsers })
    return { rows: result.rows }
  } catch (error) {
    throw fromDriver(error)
  }
}

/** PostgreSQL in this process: one connection, which statements and transactions take in turn. */
export class EmbeddedDriver implements Driver {
  readonly kind = 'embedded'
  readonly #pglite: PGlite
  readonly #lock: FolderLock
  readonly #snapshots: Snapshots

  constructor(pglite: PGlite, lock: FolderLock, snapshots: Snapshots) {
    this.#pglite = pglite
    this.#lock = lock
    this.#snapshots = snapshots
  }

  readonly run = async (statement: Statement): Promise<StatementResult> => {
    this.#lock.check()
    return await send(this.#pglite, statement)
  }

  async transact<T>(
    work: (run: RunStatement) => Promise<T>,
    { deadline, readOnly }: TransactHow,
  ): Promise<T> {
    this.#lock.check()
    const turn = Promise.withResolvers<void>()
    const transaction = this.#pglite.transaction(async (tx) => {
      turn.resolve()
      deadline.check()
      if (readOnly) await tx.query('set transaction read only')
      const result = await work((statement) => send(tx, statement))
      this.#lock.check()
      return result
    })
    // Only the wait for its turn may end early: a transaction that has begun ends in its own way.
    transaction.catch(() => turn.resolve())
    await within(turn.promise, deadline)
    return await transaction
  }

  readonly snapshot = async (): Promise<string> => {
    this.#lock.check()
    return await this.#snapshots.take()
  }

  async close(): Promise<void> {
    await this.#snapshots.close()
    await this.#pglite.close()
    await this.#lock.release()
  }
}
