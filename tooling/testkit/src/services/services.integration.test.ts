import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectRaw } from '../net/raw-connection.ts'
import { pollUntil } from '../process/waiting.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinel.ts'

beforeEach(() => {
  vi.stubEnv('REDIS_URL', '')
  vi.stubEnv('DATABASE_URL', '')
})
afterEach(() => vi.unstubAllEnvs())

describe('startRedis', () => {
  it('starts a Redis that answers', async () => {
    await using redis = await startRedis()
    await using client = await connectRaw({ port: redis.port })
    await client.write('PING\r\n')
    expect((await client.waitFor('\r\n')).toString()).toBe('+PONG\r\n')
    expect(await redis.command('SET', 'tide', 'high ✓')).toBe('OK')
    expect(await redis.command('GET', 'tide')).toBe('high ✓')
    expect(await redis.command('GET', 'none')).toBeNull()
    expect(await redis.command('EXISTS', 'tide')).toBe(1)
    expect(await redis.command('MGET', 'tide', 'none')).toEqual(['high ✓', null])
    await expect(redis.command('NONSENSE')).rejects.toThrow('unknown command')
  })

  it('asks for a password', async () => {
    await using redis = await startRedis({ password: true })
    await using client = await connectRaw({ port: redis.port })
    await client.write('PING\r\n')
    expect((await client.waitFor('\r\n')).toString()).toContain('-NOAUTH')
    expect(await redis.command('PING')).toBe('PONG')
    expect(new URL(redis.url).password).toBe(redis.password)
  })

  it('speaks TLS with a certificate that its authority vouches for', async () => {
    await using redis = await startRedis({ tls: true, password: 'p@ss' })
    expect(redis.url).toBe(`rediss://:p%40ss@127.0.0.1:${redis.port}`)
    const ca = redis.certificates?.ca ?? ''
    const trusting = connectTls({ host: '127.0.0.1', port: redis.port, ca })
    await once(trusting, 'secureConnect')
    expect(trusting.authorized).toBe(true)
    trusting.destroy()
    const wary = connectTls({ host: '127.0.0.1', port: redis.port })
    await expect(once(wary, 'secureConnect')).rejects.toThrow(/certificate/)
    expect(await redis.command('PING')).toBe('PONG')
  })

  it('stops, starts again on its port, hangs and wakes', async () => {
    await using redis = await startRedis()
    await redis.stop()
    await expect(redis.command('PING')).rejects.toThrow('ECONNREFUSED')
    await redis.start()
    expect(await redis.command('PING')).toBe('PONG')
    redis.signal('SIGSTOP')
    await using client = await connectRaw({ port: redis.port })
    await client.write('PING\r\n')
    await expect(client.waitFor('PONG', 50)).rejects.toThrow('did not see')
    redis.signal('SIGCONT')
    await client.waitFor('PONG')
  })

  it('takes the one that REDIS_URL names, and leaves it running', async () => {
    await using own = await startRedis({ password: 'shared' })
    vi.stubEnv('REDIS_URL', own.url)
    const named = await startRedis()
    expect(named).toMatchObject({ url: own.url, external: true })
    expect(await named.command('PING')).toBe('PONG')
    expect(() => named.signal('SIGSTOP')).toThrow('own: true')
    await named[Symbol.asyncDispose]()
    expect(await own.command('PING')).toBe('PONG')
    await using another = await startRedis({ own: true })
    expect(another.url).not.toBe(own.url)
  })

  it('fails with what the server said', async () => {
    await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(
      /Redis ended at once[\s\S]*no-such-option/,
    )
  })
})

describe('startRedisCluster', () => {
  it('starts three masters, and hands a slot over with its keys', async () => {
    await using cluster = await startRedisCluster()
    expect(new Set(cluster.addresses.map(({ port }) => port)).size).toBe(3)
    const owner = await cluster.ownerOf('tide')
    await owner.command('SET', 'tide', 'high')
    const next = await cluster.moveSlotOf('tide')
    expect(await next.command('GET', 'tide')).toBe('high')
    await expect(owner.command('GET', 'tide')).rejects.toThrow(`MOVED`)
    expect(await cluster.ownerOf('tide')).toBe(next)
  })
})

describe('startRedisSentinels', () => {
  it('starts Sentinels that make the replica the primary when that one dies', async () => {
    await using sentinels = await startRedisSentinels()
    const { primary, replica, primaryPort } = sentinels
    expect(await primaryPort()).toBe(primary.port)
    await primary.kill()
    const promoted = async () => (await primaryPort()) === replica.port
    await pollUntil(promoted, { timeoutMs: 20_000, describe: () => 'no failover' })
    expect(await replica.command('SET', 'tide', 'high')).toBe('OK')
  })
})

describe('startPostgres', () => {
  it('starts a PostgreSQL that keeps its data over a restart and a crash', async () => {
    await using postgres = await startPostgres()
    expect(await postgres.query('SELECT 1')).toBe('1')
    await postgres.query("CREATE TABLE tide AS SELECT 'high' AS state")
    await postgres.stop()
    await expect(postgres.query('SELECT 1')).rejects.toThrow('Connection refused')
    await postgres.start()
    expect(await postgres.query('SELECT state, 2 FROM tide')).toBe('high|2')
    postgres.signal('SIGKILL')
    await postgres.stop()
    await postgres.start()
    expect(await postgres.query('SELECT state FROM tide')).toBe('high')
  })

  it('takes settings, and asks for the password', async () => {
    await using postgres = await startPostgres({ settings: { max_connections: '7' } })
    expect(await postgres.query('SHOW max_connections')).toBe('7')
    vi.stubEnv('DATABASE_URL', postgres.url)
    const named = await startPostgres()
    expect(named).toMatchObject({ url: postgres.url, external: true })
    expect(await named.query('SELECT current_user')).toBe('tidegate')
    await expect(named.stop()).rejects.toThrow('own: true')
    const wrong = postgres.url.replace(/:[0-9a-f]{32}@/, ':wrong@')
    vi.stubEnv('DATABASE_URL', wrong)
    await expect((await startPostgres()).query('SELECT 1')).rejects.toThrow('authentication failed')
  })
})
