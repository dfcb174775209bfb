import pg from 'pg'
import { DatabaseError } from '../errors.ts'

/** How a PostgreSQL server is reached. */
export interface PostgresOptions {
  /** `postgresql://user:password@host:5432/name`, with `sslmode` and the like in its query. */
  readonly url: string
  /** Connections at most. Default 10. */
  readonly maxConnections?: number
  /** Milliseconds to wait for a free connection, or for a new one. Default 5000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds that one statement may take. Default 30000. */
  readonly statementTimeoutMs?: number
  /** What `pg_stat_activity` shows. Default `tidegate-companion`. */
  readonly applicationName?: string
  /** Told of connections that broke while nobody used them. */
  readonly onConnectionError?: (code: string) => void
}

const defaults = { maxConnections: 10, connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 }
const idleTimeoutMs = 30_000
const idleInTransactionMs = 60_000
const graceMs = 1_000

const { builtins } = pg.types
const textual: ReadonlySet<number> = new Set([
  builtins.TIMESTAMP,
  builtins.TIMESTAMPTZ,
  builtins.DATE,
  builtins.INTERVAL,
])

function parseInt8(value: string): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

/** Raw values as the embedded database gives them: drivers differ by default. */
function parserOf(type: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (textual.has(type)) return (value) => value
  if (type === builtins.INT8) return parseInt8
  return format === 'binary'
    ? pg.types.getTypeParser(type, 'binary')
    : pg.types.getTypeParser(type, 'text')
}

function checkUrl(url: string): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme === 'postgres:' || scheme === 'postgresql:') return
  throw new DatabaseError(
    'invalid_option',
    'DATABASE_URL has to look like postgresql://user:password@host:5432/name, with special characters of the password percent-encoded.',
  )
}

/** Milliseconds after which a statement is given up on this side, as a hung server ends nothing. */
export function patienceMs(timeoutMs: number): number {
  return timeoutMs + graceMs
}

/** A pool whose statements and idle transactions end by themselves. Nothing connects yet. */
export function createPool(options: PostgresOptions): pg.Pool {
  checkUrl(options.url)
  const { maxConnections, connectTimeoutMs, statementTimeoutMs } = { ...defaults, ...options }
  const pool = new pg.Pool({
    connectionString: options.url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: patienceMs(statementTimeoutMs),
    idle_in_transaction_session_timeout: idleInTransactionMs,
    application_name: options.applicationName ?? 'tidegate-companion',
    options: '-c TimeZone=UTC',
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
  })
  // A connection may break while a transaction holds it between two statements: the next one says so.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', (error: Error & { code?: string }) => {
    options.onConnectionError?.(error.code ?? error.name)
  })
  return pool
}

/**
 * Ends the statement that the server's process `processId` runs. On a connection of its own: when a
 * statement has to go, the pool has often none to spare. Never rejects.
 */
export async function cancelBackend(pool: pg.Pool, processId: number | undefined): Promise<void> {
  const client = new pg.Client(pool.options)
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select pg_cancel_backend($1)', [processId])
  } catch {
    // The statement's own limit ends it then.
  } finally {
    await client.end().catch(() => undefined)
  }
}
