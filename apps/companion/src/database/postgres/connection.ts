import type pg from 'pg'
import { fromDriver } from '../driver-error.ts'
import type { Statement, StatementResult } from '../queries.ts'
import { patienceMs } from './pool.ts'

/** One connection, as long as one statement or one transaction has it. */
export class Connection {
  readonly #client: pg.PoolClient
  #broken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  /** The server's process behind it. */
  get processId(): number | undefined {
    return (this.#client as pg.PoolClient & { processID?: number }).processID
  }

  /** Whether nobody knows any more what its server is doing. */
  get isBroken(): boolean {
    return this.#broken
  }

  async send({ text, values, rows, timeoutMs }: Statement): Promise<StatementResult> {
    return await this.#query({
      ...{ text, values: [...values] },
      ...(rows === 'arrays' ? { rowMode: 'array' as const } : {}),
      ...(timeoutMs === undefined ? {} : { query_timeout: patienceMs(timeoutMs) }),
    })
  }

  /** Statements without values; more than one may be sent at once. */
  async command(text: string): Promise<void> {
    await this.#query({ text })
  }

  /** Rolls back, if the connection still works. Never rejects: without it the server does the same. */
  async rollback(): Promise<void> {
    if (this.#broken) return
    await this.command('rollback').catch(() => {
      this.#broken = true
    })
  }

  /** Gives it back to the pool, or ends it when it is broken. */
  release(): void {
    this.#client.release(this.#broken)
  }

  async #query(config: pg.QueryConfig): Promise<StatementResult> {
    try {
      const { rows } = await this.#client.query<Record<string, unknown>>(config)
      return { rows }
    } catch (thrown) {
      const error = fromDriver(thrown)
      this.#broken ||= error.code === 'unavailable'
      throw error
    }
  }
}
