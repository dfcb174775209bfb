import type { Database, TransactionOptions } from './database.ts'
import { createDeadline, type Deadline, within } from './deadline.ts'
import type { Driver } from './driver.ts'
import { DatabaseError, isDatabaseError } from './errors.ts'
import { createQueries, type Queries, type RunStatement } from './queries.ts'
import { observed, type SlowQueryOptions } from './slow-queries.ts'
import { TransactionGuard } from './transaction-guard.ts'

const defaultProbeTimeoutMs = 2_000

/** Notices a statement that failed: PostgreSQL answers the commit after it with a silent rollback. */
class Outcome {
  #failed = false

  watch(run: RunStatement): RunStatement {
    return async (statement) => {
      try {
        return await run(statement)
      } catch (error) {
        this.#failed = true
        throw error
      }
    }
  }

  refuseFailed(): void {
    if (!this.#failed) return
    throw new DatabaseError(
      'refused',
      'The transaction was rolled back: one of its statements failed, though its function went on.',
    )
  }
}

function limited(run: RunStatement, check: () => void, deadline: Deadline): RunStatement {
  return async (statement) => {
    check()
    deadline.check()
    return await run(statement)
  }
}

/** The rules that hold for every database, whichever driver is under it. */
export class GuardedDatabase implements Database {
  readonly orm: Queries
  readonly snapshot?: () => Promise<string>
  readonly #driver: Driver
  readonly #guard = new TransactionGuard()
  readonly #slow: SlowQueryOptions
  readonly #runAlone: RunStatement
  #closing: Promise<void> | undefined

  constructor(driver: Driver, slow: SlowQueryOptions) {
    this.#driver = driver
    this.#slow = slow
    this.#runAlone = observed(driver.run, slow)
    this.orm = createQueries(async (statement) => {
      this.#refuse()
      return await this.#runAlone(statement)
    })
    const { snapshot } = driver
    if (snapshot === undefined) return
    this.snapshot = async () => {
      this.#refuse()
      return await snapshot()
    }
  }

  get kind(): Driver['kind'] {
    return this.#driver.kind
  }

  async transaction<T>(
    work: (tx: Queries) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    this.#refuse()
    const deadline = createDeadline(options)
    try {
      deadline.check()
      const how = { deadline, readOnly: options.readOnly ?? false }
      return await this.#driver.transact((run) => this.#inside(run, work, deadline), how)
    } finally {
      deadline.end()
    }
  }

  async probe({ timeoutMs = defaultProbeTimeoutMs } = {}): Promise<void> {
    this.#refuse()
    const deadline = createDeadline({ timeoutMs })
    const answer = this.#runAlone({ text: 'select 1', values: [], rows: 'arrays', timeoutMs })
    try {
      await within(answer, deadline)
    } catch (error) {
      if (!isDatabaseError(error, 'deadline_exceeded')) throw error
      const message = `The database did not answer within ${timeoutMs} ms.`
      throw new DatabaseError('unavailable', message)
    } finally {
      deadline.end()
    }
  }

  async close(): Promise<void> {
    // It would wait for itself.
    this.#guard.refuseInside()
    this.#closing ??= this.#driver.close()
    await this.#closing
  }

  #refuse(): void {
    this.#guard.refuseInside()
    if (this.#closing === undefined) return
    throw new DatabaseError('database_closed', 'The database has been closed.')
  }

  #inside<T>(run: RunStatement, work: (tx: Queries) => Promise<T>, deadline: Deadline): Promise<T> {
    return this.#guard.enter(async (check) => {
      const outcome = new Outcome()
      const watched = outcome.watch(observed(run, this.#slow))
      const result = await work(createQueries(limited(watched, check, deadline)))
      outcome.refuseFailed()
      deadline.check()
      return result
    })
  }
}
