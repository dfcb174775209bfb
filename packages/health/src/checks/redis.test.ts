import { describe, expect, it } from 'vitest'
import { look } from './looking.fixture.ts'
import { type RedisCheckOptions, redisCheck } from './redis.ts'

type Replies = Readonly<Record<string, unknown>>

/** A Redis that answers as told; an `Error` is thrown. */
function lookAt(replies: Replies, options: Partial<RedisCheckOptions> = {}) {
  const call = async (name: string) => {
    const reply = replies[name]
    if (reply instanceof Error) throw reply
    return reply
  }
  return look(redisCheck({ client: { call }, ...options }))
}

const info = (fields: Readonly<Record<string, string | number>>) =>
  `# Some\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')}`

describe('redisCheck', () => {
  it('tells memory, clients and replication', async () => {
    const told = info({
      ...{ redis_version: '7.4.1', used_memory: 1_000, maxmemory: 0, connected_clients: 3 },
      ...{ role: 'master', connected_slaves: 2, uptime_in_seconds: 60 },
    })
    const { status, details } = await lookAt({ PING: Buffer.from('PONG'), INFO: Buffer.from(told) })
    expect(status).toBe('healthy')
    expect(details).toEqual({
      ...{ version: '7.4.1', memory_used_bytes: 1_000, memory_max_bytes: null },
      ...{ connected_clients: 3, role: 'primary', connected_replicas: 2, uptime_seconds: 60 },
    })
  })

  it('calls a full memory degraded only where nothing is evicted', async () => {
    const full = { used_memory: 95, maxmemory: 100, maxmemory_policy: 'noeviction' }
    expect(await lookAt({ PING: 'PONG', INFO: info(full) })).toMatchObject({
      status: 'degraded',
      error: { code: 'memory', message: '95 % of its memory is used; full, it refuses writes.' },
    })
    const evicting = info({ ...full, maxmemory_policy: 'allkeys-lru' })
    expect((await lookAt({ PING: 'PONG', INFO: evicting })).status).toBe('healthy')
    const higher = await lookAt({ PING: 'PONG', INFO: info(full) }, { maxMemoryRatio: 0.96 })
    expect(higher.status).toBe('healthy')
  })

  it('notices a lost primary, missing replicas and too many clients', async () => {
    const lost = info({ role: 'slave', master_link_status: 'down' })
    const codes = [
      await lookAt({ PING: 'PONG', INFO: lost }),
      await lookAt({ PING: 'PONG', INFO: info({ role: 'master' }) }, { minReplicas: 1 }),
      await lookAt({ PING: 'PONG', INFO: info({ connected_clients: 9 }) }, { maxClients: 9 }),
    ].map(({ status, error }) => [status, error?.code])
    expect(codes).toEqual([
      ['degraded', 'primary_link_down'],
      ['degraded', 'replicas'],
      ['degraded', 'clients'],
    ])
  })

  it('is content with an answer where INFO is forbidden', async () => {
    const noPermission = new Error("NOPERM User ada has no permissions to run the 'info' command")
    expect((await lookAt({ PING: 'PONG', INFO: noPermission })).status).toBe('healthy')
  })

  it('shows the word of Redis’s own errors, and no more', async () => {
    const refused = new Error('NOAUTH Authentication required: hunter2')
    const { status, error } = await lookAt({ PING: refused })
    expect([status, error]).toEqual([
      'unhealthy',
      { code: 'NOAUTH', message: 'Redis answered with the error NOAUTH.' },
    ])
    expect((await lookAt({ PING: 'OK' })).error?.code).toBe('unexpected_answer')
  })

  it('tells a client’s own errors from those of Redis', async () => {
    const unsent = Object.assign(new Error('PING was not sent: there is no connection.'), {
      code: 'unavailable',
    })
    const { error: away } = await lookAt({ PING: unsent })
    expect(away?.code).toBe('unavailable')
    expect(away?.message).not.toContain('answered')
    const answered = Object.assign(new Error('Redis refused PING: LOADING hunter2'), {
      ...{ code: 'reply_error', reply: 'LOADING' },
    })
    expect((await lookAt({ PING: answered })).error).toEqual({
      ...{ code: 'LOADING', message: 'Redis answered with the error LOADING.' },
    })
  })

  it('refuses a client that can’t be asked', () => {
    expect(() => redisCheck({ client: {} as never })).toThrow(/client\.call/)
    expect(() => redisCheck({ client: { call: async () => 1 }, minReplicas: -1 })).toThrow(/-1/)
  })
})
