import type pg from 'pg'
import { type Deadline, within } from '../deadline.ts'
import type { Driver, TransactHow } from '../driver.ts'
import { fromDriver } from '../driver-error.ts'
import type { RunStatement, Statement, StatementResult } from '../queries.ts'
import { Connection } from './connection.ts'
import { cancelBackend, createPool, type PostgresOptions } from './pool.ts'
import { limitedStatements, limitText } from './statement-limit.ts'

async function acquire(pool: pg.Pool, deadline?: Deadline): Promise<Connection> {
  const connecting = pool.connect()
  try {
    return new Connection(deadline ? await within(connecting, deadline) : await connecting)
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => undefined,
    )
    throw fromDriver(error)
  }
}

function beginText({ deadline, readOnly }: TransactHow): string {
  const remainingMs = deadline.remainingMs()
  const begin = readOnly ? 'begin read only' : 'begin'
  return remainingMs === undefined ? begin : `${begin}; ${limitText(remainingMs)}`
}

/** Ends the statement that runs when the deadline's signal aborts, until the function it gives is called. */
function cancelOnAbort(pool: pg.Pool, { processId }: Connection, { signal }: Deadline) {
  let cancelling = Promise.resolve()
  const cancel = () => {
    cancelling = cancelBackend(pool, processId)
  }
  signal?.addEventListener('abort', cancel, { once: true })
  return async () => {
    signal?.removeEventListener('abort', cancel)
    // Else it might end a statement of whoever gets the connection next.
    await cancelling
  }
}

async function transactOn<T>(
  connection: Connection,
  work: (run: RunStatement) => Promise<T>,
  how: TransactHow,
): Promise<T> {
  try {
    await connection.command(beginText(how))
    const result = await work(limitedStatements(connection, how.deadline))
    await connection.command('commit')
    return result
  } catch (error) {
    await connection.rollback()
    throw error
  }
}

class PostgresDriver implements Driver {
  readonly kind = 'postgres'
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  readonly run = async (statement: Statement): Promise<StatementResult> => {
    const connection = await acquire(this.#pool)
    try {
      return await connection.send(statement)
    } finally {
      connection.release()
    }
  }

  async transact<T>(work: (run: RunStatement) => Promise<T>, how: TransactHow): Promise<T> {
    const connection = await acquire(this.#pool, how.deadline)
    const settleCancel = cancelOnAbort(this.#pool, connection, how.deadline)
    try {
      return await transactOn(connection, work, how)
    } finally {
      const cancelled = settleCancel()
      if (!connection.isBroken) await cancelled
      connection.release()
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** PostgreSQL behind a pool of connections. Nothing connects before the first statement. */
export function createPostgresDriver(options: PostgresOptions): Driver {
  return new PostgresDriver(createPool(options))
}
