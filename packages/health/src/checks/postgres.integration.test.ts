import { pollUntil, startDeafListener, startPostgres } from '@tidegate/testkit'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { look } from './looking.fixture.ts'
import { postgresCheck } from './postgres.ts'

function open(connectionString: string, max = 2) {
  const pool = new pg.Pool({ connectionString, max })
  pool.on('error', () => undefined)
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}

describe('postgresCheck with a real PostgreSQL', () => {
  it('tells latency and pool, and names a pool without a free connection', async () => {
    await using server = await startPostgres()
    await using pool = open(server.url)
    const check = postgresCheck({ client: pool })
    const up = await look(check)
    expect(up).toMatchObject({ status: 'healthy', details: { pool: { total: 1, idle: 1 } } })
    expect(up.details?.query_ms).toBeGreaterThan(0)
    const taken = [await pool.connect(), await pool.connect()]
    const { error, details } = await look(check, { timeout: 100 })
    expect([error?.code, details?.pool]).toEqual([
      'pool_exhausted',
      { total: 2, idle: 0, waiting: 1 },
    ])
    await look(check, { timeout: 100 })
    expect(pool.waitingCount).toBe(1)
    for (const connection of taken) connection.release()
    expect((await look(check)).status).toBe('healthy')
  })

  it('notices a wrong password, a missing database and a question that fails', async () => {
    await using server = await startPostgres()
    const url = new URL(server.url)
    url.pathname = '/nowhere'
    await using pool = open(url.href)
    const missing = await look(postgresCheck({ client: pool }))
    expect(missing.error).toEqual({ code: '3D000', message: 'There is no such database.' })
    await using good = open(server.url)
    const failing = await look(postgresCheck({ client: good, query: 'SELECT * FROM nowhere' }))
    expect(failing.error?.code).toBe('42P01')
    expect(JSON.stringify([missing, failing])).not.toContain('nowhere')
  })

  it('notices a database that stops and comes back', async () => {
    await using server = await startPostgres({ own: true })
    await using pool = open(server.url)
    const check = postgresCheck({ client: pool })
    expect((await look(check)).status).toBe('healthy')
    await server.stop()
    expect((await look(check)).status).toBe('unhealthy')
    await server.start()
    await pollUntil(async () => (await look(check)).status === 'healthy', {
      describe: () => 'the check did not notice that PostgreSQL is back',
    })
  })

  it('gives up a server to which no connection can be made', async () => {
    await using deaf = await startDeafListener()
    const pool = open(`postgresql://ada:hunter2@127.0.0.1:${deaf.port}/shop`)
    const result = await look(postgresCheck({ client: pool }), { timeout: 100 })
    expect(result).toMatchObject({ status: 'unhealthy', error: { code: 'timeout' } })
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })
})
