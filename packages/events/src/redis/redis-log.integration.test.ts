import { randomUUID } from 'node:crypto'
import { pollUntil, type RedisServer, startRedis, startRedisCluster } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventLog, LogPage } from '../core/log.ts'
import { logConformance } from '../testing/log-conformance.ts'
import { type Connected, connect } from './client.fixture.ts'
import type { EventsRedis } from './port.ts'
import { type RedisLogOptions, redisLog } from './redis-log.ts'

let server: RedisServer
let connected: Connected

beforeAll(async () => {
  server = await startRedis({ own: true })
  connected = await connect(server.url)
})

afterAll(async () => {
  await connected?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const open = (options: Partial<RedisLogOptions> = {}): EventLog =>
  redisLog({ ...connected, key: `log:${randomUUID()}`, ...options })

describe.concurrent('redisLog conforms', () => {
  for (const { name, run } of logConformance) {
    it(name, () => run({ open }))
    it(`without a subscriber: ${name}`, () =>
      run({ open: (bounds) => open({ ...bounds, subscriber: undefined }) }))
  }
})

describe.concurrent('redisLog conforms on a Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  let nodes: Connected

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = await connect(cluster.addresses)
  })

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of logConformance) {
    it(name, () => run({ open: (bounds) => open({ ...nodes, ...bounds }) }))
  }
})

describe('redisLog', () => {
  it('expires so long after its last entry, and tells who missed that', async () => {
    const key = `log:${randomUUID()}`
    const log = open({ key, ttlMs: 60_000 })
    const first = await log.append('a')
    const ttl = await connected.client.pttl(key)
    expect(ttl).toBeGreaterThan(50_000)
    expect(ttl).toBeLessThanOrEqual(60_000)
    await connected.client.del(key)
    await log.append('b')
    expect(await log.read({ after: first })).toMatchObject({ gap: true, entries: [{}] })
    expect(await log.read()).toMatchObject({ gap: false, entries: [{}] })
  })

  it('has ids that grow when the clock of Redis is set back', async () => {
    const key = `log:${randomUUID()}`
    const log = open({ key })
    const ahead = `${Date.now() + 86_400_000}-7`
    await connected.client.call('xadd', key, ahead, 'd', 'ahead', 'p', '')
    expect(await log.append('next')).toBe(ahead.replace('-7', '-8'))
    expect(await log.read({ after: ahead })).toMatchObject({ gap: false, entries: [{}] })
  })

  it('goes on after its script was flushed', async () => {
    const log = open()
    await log.append('a')
    await connected.client.script('FLUSH')
    await log.append('b')
    expect((await log.read()).entries).toHaveLength(2)
  })

  it('refuses what cannot send what is needed', () => {
    const invalid = expect.objectContaining({ code: 'invalid_option' })
    expect(() => redisLog({ redis: {} as never, key: 'x' })).toThrow(invalid)
    expect(() => open({ key: '' })).toThrow(invalid)
    expect(() => open({ maxEntries: 0 })).toThrow(invalid)
  })
})

describe('a tail of redisLog', () => {
  it('reads once with all others that stand where it does', async () => {
    const key = `log:${randomUUID()}`
    let reads = 0
    const redis: EventsRedis = {
      callBuffer: (...call) => {
        reads += 1
        return connected.redis.callBuffer(...call)
      },
      evaluate: (...call) => connected.redis.evaluate(...call),
    }
    const log = redisLog({ redis, subscriber: connected.subscriber, key })
    const follow = async () => {
      const seen: string[] = []
      for await (const { entries } of log.tail({ after: 'start' })) {
        seen.push(...entries.map(({ id }) => id))
        if (seen.length === 10) break
      }
      return seen
    }
    const following = Array.from({ length: 100 }, follow)
    const ids: string[] = []
    for (let at = 0; at < 10; at += 1) ids.push(await log.append(`${at}`))
    for (const seen of await Promise.all(following)) expect(seen).toEqual(ids)
    expect(reads).toBeLessThan(200)
    await log.close()
  })

  it('goes on when the log was lost and the clock of Redis was set back, and tells', async () => {
    const key = `log:${randomUUID()}`
    const log = open({ key })
    await connected.client.call('xadd', key, `${Date.now() + 86_400_000}-0`, 'd', 'old', 'p', '')
    const pages = log.tail({ after: 'start' })[Symbol.asyncIterator]()
    expect((await pages.next()).value).toMatchObject({ gap: false, entries: [{}] })
    await connected.client.del(key)
    const ids = [await log.append('a'), await log.append('b')]
    const seen: string[] = []
    const gaps: boolean[] = []
    while (seen.length < ids.length) {
      const { value } = await pages.next()
      seen.push(...(value as LogPage).entries.map(({ id }) => id))
      gaps.push((value as LogPage).gap)
    }
    expect(seen).toEqual(ids)
    expect(gaps[0]).toBe(true)
    await log.close()
  })

  it('has nothing twice when a replica without the last entries takes over', async () => {
    const key = `log:${randomUUID()}`
    const log = open({ key })
    await log.append('a')
    const lost = await log.append('b')
    const pages = log.tail({ after: 'start' })[Symbol.asyncIterator]()
    expect((await pages.next()).value).toMatchObject({ gap: false, entries: [{}, {}] })
    const next = pages.next()
    await connected.client.call('xdel', key, lost)
    await connected.client.publish(key, '')
    await log.append('c')
    const { value } = await next
    expect(value).toMatchObject({ gap: true, entries: [{ data: Buffer.from('c') }] })
    await log.close()
  })

  it('goes on when Redis is back, where it was, and tells when everything was lost', async () => {
    await using own = await startRedis({ own: true })
    await using there = await connect(own.url)
    const errors: unknown[] = []
    const log = redisLog({ ...there, key: 'log', onError: (error) => errors.push(error) })
    const over = new AbortController()
    const seen: string[] = []
    let gaps = 0
    const following = (async () => {
      for await (const { entries, gap } of log.tail({ after: 'start', signal: over.signal })) {
        seen.push(...entries.map(({ data }) => Buffer.from(data).toString()))
        if (gap) gaps += 1
      }
    })()
    const until = (check: () => boolean | Promise<boolean>, what: string) =>
      pollUntil(async () => check(), { timeoutMs: 15_000, describe: () => `${what}: ${seen}` })
    const appended = (text: string) =>
      until(
        () =>
          log.append(text).then(
            () => true,
            () => false,
          ),
        text,
      )
    try {
      await appended('before')
      await until(() => seen.length === 1, 'the first')
      own.pause()
      await until(() => errors.length > 0, 'an error')
      own.resume()
      await appended('after')
      await until(() => seen.includes('after'), 'after the pause')
      const { entries } = await log.read()
      await until(() => seen.length === entries.length, 'all of them')
      expect(seen).toEqual(entries.map(({ data }) => Buffer.from(data).toString()))
      expect(gaps).toBe(0)
      await own.kill()
      await own.start()
      await appended('anew')
      await until(() => seen.includes('anew'), 'after the restart')
      expect(gaps).toBe(1)
    } finally {
      over.abort()
      await following
    }
  })
})
