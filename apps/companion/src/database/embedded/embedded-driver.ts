import { type PGlite, type Transaction, types } from '@electric-sql/pglite'
import { within } from '../deadline.ts'
import type { Driver, TransactHow } from '../driver.ts'
import { fromDriver } from '../driver-error.ts'
import type { RunStatement, Statement, StatementResult } from '../queries.ts'

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
  readonly #release: () => Promise<void>

  constructor(pglite: PGlite, release: () => Promise<void>) {
    this.#pglite = pglite
    this.#release = release
  }

  readonly run = (statement: Statement): Promise<StatementResult> => send(this.#pglite, statement)

  async transact<T>(
    work: (run: RunStatement) => Promise<T>,
    { deadline, readOnly }: TransactHow,
  ): Promise<T> {
    const turn = Promise.withResolvers<void>()
    const transaction = this.#pglite.transaction(async (tx) => {
      turn.resolve()
      deadline.check()
      if (readOnly) await tx.query('set transaction read only')
      return await work((statement) => send(tx, statement))
    })
    // Only the wait for its turn may end early: a transaction that has begun ends in its own way.
    transaction.catch(() => turn.resolve())
    await within(turn.promise, deadline)
    return await transaction
  }

  async close(): Promise<void> {
    await this.#pglite.close()
    await this.#release()
  }
}
