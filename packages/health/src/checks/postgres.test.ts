import { describe, expect, it } from 'vitest'
import { look } from './looking.fixture.ts'
import { type PostgresClient, postgresCheck } from './postgres.ts'

const pool = (query: PostgresClient['query'], waitingCount = 0): PostgresClient => ({
  ...{ query, totalCount: 5, idleCount: 0, waitingCount },
})

describe('postgresCheck', () => {
  it('asks the question it is given, and tells the pool’s figures', async () => {
    const asked: string[] = []
    const client = pool(async (sql) => void asked.push(sql))
    const { status, details } = await look(postgresCheck({ client, query: 'SELECT 2' }))
    expect([status, asked]).toEqual(['healthy', ['SELECT 2']])
    expect(details?.pool).toEqual({ total: 5, idle: 0, waiting: 0 })
  })

  it('is degraded when too many wait for a connection', async () => {
    const client = pool(async () => undefined, 7)
    expect((await look(postgresCheck({ client }))).status).toBe('healthy')
    expect(await look(postgresCheck({ client, maxWaiting: 7 }))).toMatchObject({
      status: 'degraded',
      error: { code: 'pool_waiting', message: '7 callers wait for a connection of the pool.' },
    })
  })

  it('shows what an SQLSTATE means, and not what the server said', async () => {
    const refused = Object.assign(new Error('password authentication failed for user "ada"'), {
      code: '28P01',
    })
    const { error } = await look(postgresCheck({ client: pool(() => Promise.reject(refused)) }))
    expect(error).toEqual({ code: '28P01', message: 'The password was refused.' })
  })

  it('refuses a client that can’t be asked', () => {
    expect(() => postgresCheck({ client: {} as never })).toThrow(/client\.query/)
    expect(() => postgresCheck({ client: pool(async () => 1), query: '' })).toThrow(/query/)
  })
})
