import { type Check, type CheckDetails, CheckError } from '../core/check.ts'
import { callable, checkNames, count, wrong } from '../core/option-checks.ts'
import { askOnce } from './asking.ts'

/** What is needed of a client: a `Pool` or `Client` of `pg`, or a few lines around another. */
export interface PostgresClient {
  query(sql: string): Promise<unknown>
  /** Figures of a pool, when it is one. */
  readonly totalCount?: number
  readonly idleCount?: number
  readonly waitingCount?: number
}

/** Options of {@link postgresCheck}. */
export interface PostgresCheckOptions {
  readonly client: PostgresClient
  /** What is asked. Default `SELECT 1`. */
  readonly query?: string | undefined
  /** From how many callers that wait for a connection on it is degraded. Default: any number is fine. */
  readonly maxWaiting?: number | undefined
}

/**
 * Asks a PostgreSQL a question, and tells the pool's figures. Unhealthy when it fails or takes too long; a
 * pool without a free connection is then named as the reason. Give the register option `slow` for a database
 * that answers too slowly.
 *
 * @throws HealthError `invalid_option`
 */
export function postgresCheck(options: PostgresCheckOptions): Check {
  checkNames('postgresCheck', options, ['client', 'query', 'maxWaiting'])
  const { client, query = 'SELECT 1', maxWaiting } = options
  callable('postgresCheck: client.query', client?.query)
  if (typeof query !== 'string' || query === '') {
    throw wrong('postgresCheck: query', query, 'a statement')
  }
  if (maxWaiting !== undefined) count('postgresCheck: maxWaiting', maxWaiting, 1)
  const ask = askOnce(async () => void (await client.query(query)))
  return async ({ signal }) => {
    const began = performance.now()
    const waiting = client.waitingCount ?? 0
    try {
      await ask(signal)
    } catch (error) {
      throw signal.aborted ? tooSlow(client, signal.reason) : sqlFault(error, poolOf(client))
    }
    const query_ms = Math.round((performance.now() - began) * 100) / 100
    const details = { query_ms, ...poolOf(client) }
    if (maxWaiting === undefined || waiting < maxWaiting) return { details }
    const message = `${waiting} callers wait for a connection of the pool.`
    return { status: 'degraded', error: { code: 'pool_waiting', message }, details }
  }
}

function poolOf({ totalCount, idleCount, waitingCount }: PostgresClient): CheckDetails {
  if (totalCount === undefined) return {}
  return { pool: { total: totalCount, idle: idleCount ?? null, waiting: waitingCount ?? null } }
}

function tooSlow(client: PostgresClient, reason: unknown): unknown {
  const { totalCount, idleCount, waitingCount = 0 } = client
  const details = poolOf(client)
  if (!(reason instanceof CheckError)) return reason
  if (totalCount === undefined || idleCount !== 0 || waitingCount === 0) {
    return new CheckError(reason.code, reason.message, { details })
  }
  return new CheckError(
    'pool_exhausted',
    `None of the pool's ${totalCount} connections became free in time; ${waitingCount} callers wait for one.`,
    { details },
  )
}

/** What a person can do something about, by its SQLSTATE. */
const SQL_FAULTS: Readonly<Record<string, string>> = {
  '28P01': 'The password was refused.',
  '28000': 'The user was refused.',
  '3D000': 'There is no such database.',
  '53300': 'The server has no connection left.',
  '57P01': 'The server is shutting down.',
  '57P03': 'The server is starting or shutting down.',
}

function sqlFault(error: unknown, details: CheckDetails): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const known = typeof code === 'string' ? SQL_FAULTS[code] : undefined
  if (known === undefined || typeof code !== 'string') return error
  return new CheckError(code, known, { cause: error, details })
}
