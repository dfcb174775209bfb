import { inspect } from 'node:util'
import { type PostgresServer, pollUntil, startPostgres } from '@tidegate/testkit'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../database.ts'
import { emptyDatabaseUrl } from '../databases.fixture.ts'
import { type DatabaseErrorCode, isDatabaseError } from '../errors.ts'
import { openDatabase } from '../open.ts'
import type { Queries } from '../queries.ts'

/** Longer than any test may last: whoever waits for its end has failed. */
const endless = sql`select pg_sleep(600)`

async function codeOf(work: Promise<unknown>): Promise<DatabaseErrorCode | undefined> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return isDatabaseError(error) ? error.code : undefined
}

async function backendOf(queries: Queries): Promise<unknown> {
  return (await queries.execute(sql`select pg_backend_pid() as pid`)).rows[0]?.pid
}

describe('PostgreSQL', () => {
  let server: PostgresServer
  let url: string
  let database: Database

  beforeAll(async () => {
    server = await startPostgres({ own: true })
    url = await emptyDatabaseUrl(server)
    database = await openDatabase({ url, maxConnections: 3 })
  })
  afterAll(async () => {
    await database.close()
    await server[Symbol.asyncDispose]()
  })

  /** Resolves once the server runs an endless statement. */
  async function untilAsleep(): Promise<void> {
    const text = `select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and query not like '%count%'`
    const isAsleep = async () => Number(await server.query(text)) === 1
    await pollUntil(isAsleep, { describe: () => 'no statement is running' })
  }

  it('names itself to the server, and speaks UTC', async () => {
    const { rows } = await database.orm.execute(
      sql`select current_setting('application_name') as name, current_setting('TimeZone') as zone`,
    )
    expect(rows).toEqual([{ name: 'tidegate-companion', zone: 'UTC' }])
  })

  it('has no more connections than it was given', async () => {
    const backends = await Promise.all(Array.from({ length: 12 }, () => backendOf(database.orm)))
    expect(new Set(backends).size).toBeLessThanOrEqual(3)
  })

  it('ends a statement that outlasts the limit of all', async () => {
    await using other = await limited({ statementTimeoutMs: 500 })
    expect(await codeOf(other.database.orm.execute(endless).execute())).toBe('deadline_exceeded')
    await other.database.probe()
  })

  it('ends the statement of a transaction whose time is over', async () => {
    const work = database.transaction((tx) => tx.execute(endless).execute(), { timeoutMs: 150 })
    expect(await codeOf(work)).toBe('deadline_exceeded')
    await database.probe()
  })

  it('ends the running statement when its caller leaves, and no other', async () => {
    await using other = await limited({ maxConnections: 1 })
    const caller = new AbortController()
    const { signal } = caller
    const work = other.database.transaction((tx) => tx.execute(endless).execute(), { signal })
    const outcome = codeOf(work)
    await untilAsleep()
    caller.abort()
    expect(await outcome).toBe('deadline_exceeded')
    await Promise.all(Array.from({ length: 6 }, () => other.database.probe()))
  })

  it('gives up its wait for a connection with its caller', async () => {
    await using other = await limited({ maxConnections: 1 })
    const caller = new AbortController()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: held, resolve: hold } = Promise.withResolvers<void>()
    const first = other.database.transaction(async () => {
      hold()
      await released
    })
    await held
    const second = other.database.transaction(async () => undefined, { signal: caller.signal })
    caller.abort()
    expect(await codeOf(second)).toBe('deadline_exceeded')
    release()
    await first
    await other.database.probe()
  })

  it('rolls back what a lost connection had begun', async () => {
    await database.orm.execute(sql`create table lost_writes (id integer)`)
    const work = database.transaction(async (tx) => {
      await tx.execute(sql`insert into lost_writes values (1)`)
      await server.query(`select pg_terminate_backend(${String(await backendOf(tx))})`)
      await tx.execute(sql`insert into lost_writes values (2)`)
    })
    expect(await codeOf(work)).toBe('unavailable')
    expect((await database.orm.execute(sql`select * from lost_writes`)).rows).toEqual([])
  })

  it('is unavailable while the server is away, and serves again after', async () => {
    await server.stop()
    expect(await codeOf(database.probe())).toBe('unavailable')
    expect(await codeOf(database.transaction(async () => undefined))).toBe('unavailable')
    await server.start()
    await database.probe()
  })

  it('does not wait for a server that hangs', async () => {
    await using other = await limited({})
    server.signal('SIGSTOP')
    try {
      expect(await codeOf(other.database.probe({ timeoutMs: 200 }))).toBe('unavailable')
      const work = other.database.transaction(async () => undefined, { timeoutMs: 200 })
      expect(await codeOf(work)).toBe('deadline_exceeded')
    } finally {
      server.signal('SIGCONT')
    }
    await database.probe()
  })

  it.each([
    'not a url of a secret-password',
    'mysql://user:secret-password@host/name',
    'postgres//user:secret-password@host',
  ])('refuses %j without repeating it', async (wrong) => {
    const error = await openDatabase({ url: wrong }).catch((thrown: unknown) => thrown)
    expect(isDatabaseError(error, 'invalid_option')).toBe(true)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret-password')
  })

  it('says that a password is wrong, and not which', async () => {
    const wrong = new URL(url)
    wrong.password = 'secret-password'
    const other = await openDatabase({ url: wrong.href })
    const error = await other.probe().catch((thrown: unknown) => thrown)
    expect(isDatabaseError(error, 'refused') && error.facts.sqlState).toBe('28P01')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret-password')
    await other.close()
  })

  async function limited(options: { statementTimeoutMs?: number; maxConnections?: number }) {
    const opened = await openDatabase({ url, ...options })
    return { database: opened, [Symbol.asyncDispose]: () => opened.close() }
  }
})
