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

const readOnlyStatement: Statement = {
  text: 'set transaction read only',
  values: [],
  rows: 'arrays',
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
  readonly #open = new Set<Promise<void>>()

  constructor(pglite: PGlite, lock: FolderLock, snapshots: Snapshots) {
    this.#pglite = pglite
    this.#lock = lock
    this.#snapshots = snapshots
  }

  readonly run = async (statement: Statement): Promise<StatementResult> => {
    this.#lock.check()
    return await send(this.#pglite, statement)
  }

  async transact<T>(work: (run: RunStatement) => Promise<T>, how: TransactHow): Promise<T> {
    const transaction = this.#transact(work, how)
    const settled = transaction.then(
      () => undefined,
      () => undefined,
    )
    this.#open.add(settled)
    try {
      return await transaction
    } finally {
      this.#open.delete(settled)
    }
  }

  async #transact<T>(
    work: (run: RunStatement) => Promise<T>,
    { deadline, readOnly }: TransactHow,
  ): Promise<T> {
    this.#lock.check()
    const turn = Promise.withResolvers<void>()
    let refused: { readonly by: unknown } | undefined
    const inside = async (tx: Transaction) => {
      turn.resolve()
      deadline.check()
      if (readOnly) await send(tx, readOnlyStatement)
      const result = await work((statement) => send(tx, statement))
      this.#lock.check()
      return result
    }
    const noting = (tx: Transaction) =>
      inside(tx).catch((error: unknown) => {
        refused = { by: error }
        throw error
      })
    const transaction = this.#pglite.transaction(noting).catch((error: unknown) => {
      // What the work threw is its caller's own; all else is PGlite's.
      throw refused !== undefined && refused.by === error ? error : fromDriver(error)
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
    // PGlite itself waits for a statement only.
    await Promise.all(this.#open)
    // Closing writes: in a folder that another process has now, that would do harm.
    if (!this.#lock.isLost) await this.#pglite.close()
    await this.#lock.release()
  }
}
