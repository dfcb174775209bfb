import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, startRedis, startRedisCluster } from '@tidegate/testkit'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RedisEvaluator } from '../redis/redis-store.ts'
import { memorySessionStore } from './memory-session-store.ts'
import { redisSessionStore } from './redis-session-store.ts'
import { sessionConformance } from './session-conformance.ts'

function evaluatorOf(client: Redis | Cluster): RedisEvaluator {
  return {
    async evaluate({ source, sha1 }, keys, args) {
      try {
        return await client.call('evalsha', sha1, keys.length, ...keys, ...args)
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error
        return await client.call('eval', source, keys.length, ...keys, ...args)
      }
    },
  }
}

/** The same script by a clock of the test's; expiry goes by the server's, so it is put off. */
function clocked(redis: RedisEvaluator, now: () => number): RedisEvaluator {
  return {
    evaluate({ source }, keys, args) {
      const altered = source
        .replace("redis.call('TIME')", '{ ARGV[#ARGV - 1], ARGV[#ARGV] }')
        .replaceAll('whole(lasts)', "'600000'")
      const [seconds, ms] = [Math.floor(now() / 1_000), now() % 1_000]
      const script = { source: altered, sha1: hash('sha1', altered) }
      return redis.evaluate(script, keys, [...args, seconds, ms * 1_000 + 999])
    },
  }
}

const ownClock = (redis: RedisEvaluator) => ({
  store: redisSessionStore({ redis }),
  exact: false,
  now: () => 0,
  advance: (ms: number) => sleep(ms + 2),
})

const testClock = (redis: RedisEvaluator) => {
  let clock = 1_800_000_000_123
  return {
    store: redisSessionStore({ redis: clocked(redis, () => clock) }),
    exact: true,
    now: () => clock,
    advance: (ms: number) => {
      clock += ms
    },
  }
}

let server: RedisServer
let client: Redis
let redis: RedisEvaluator

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
  redis = evaluatorOf(client)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

describe.concurrent('redisSessionStore conforms on one server', () => {
  for (const { name, run } of sessionConformance) it(name, () => run(() => ownClock(redis)))
})

describe('redisSessionStore conforms to the millisecond', () => {
  for (const { name, run } of sessionConformance) it(name, () => run(() => testClock(redis)))
})

describe.concurrent('redisSessionStore conforms on a Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  let nodes: Cluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = new Cluster([...cluster.addresses])
  })

  afterAll(async () => {
    nodes?.disconnect()
    await cluster?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of sessionConformance) {
    it(name, () => run(() => ownClock(evaluatorOf(nodes))))
  }
})

describe('redisSessionStore beside memorySessionStore', () => {
  const step = fc.record({
    ms: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 900 })),
    action: fc.constantFrom('touch', 'touch', 'touch', 'list', 'end', 'end-all'),
    handle: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    client: fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined }),
    ttlMs: fc.constantFrom(200, 500),
    limit: fc.integer({ min: 1, max: 3 }),
  })
  const inOrder = <T extends { handle: string }>(list: readonly T[]) =>
    [...list].sort((one, two) => (one.handle < two.handle ? -1 : 1))

  it('says the same of every history', async () => {
    let users = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        let clock = 1_800_000_000_000
        const memory = memorySessionStore()
        const store = redisSessionStore({ redis: clocked(redis, () => clock) })
        users += 1
        const user = `user-${users}`
        for (const { ms, action, ...touch } of steps) {
          clock += ms
          if (action === 'touch') {
            expect(await store.touch(user, touch, 0)).toEqual(memory.touch(user, touch, clock))
          } else if (action === 'list') {
            expect(inOrder(await store.list(user, 0))).toEqual(inOrder(memory.list(user, clock)))
          } else {
            const handle = action === 'end' ? touch.handle : undefined
            const told = await store.end(user, handle, touch.ttlMs, 0)
            expect(inOrder(told)).toEqual(inOrder(memory.end(user, handle, touch.ttlMs, clock)))
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('redisSessionStore', () => {
  const touch = { handle: 'h'.repeat(22), client: 'phone', ttlMs: 60_000, limit: 5 }
  const keyOf = (user: string) =>
    `tidegate:sessions:1:{${hash('sha256', user, 'base64url').slice(0, 22)}}`

  it('keeps one key per user, which expires with the last of what is in it', async () => {
    const store = redisSessionStore({ redis })
    await store.touch('one-key', touch, 0)
    await store.touch('one-key', { ...touch, handle: 'short', ttlMs: 1_000 }, 0)
    expect(await client.keys('*1:{*')).toContain(keyOf('one-key'))
    const ttl = await client.pttl(keyOf('one-key'))
    expect(ttl).toBeGreaterThan(50_000)
    expect(ttl).toBeLessThanOrEqual(60_000)
  })

  it('goes on after its script was flushed', async () => {
    const store = redisSessionStore({ redis })
    await store.touch('flushed', touch, 0)
    await client.script('FLUSH')
    expect(await store.touch('flushed', touch, 0)).toMatchObject({ opened: false })
  })

  it('takes what it cannot read for nothing', async () => {
    await client.hset(keyOf('spoilt'), touch.handle, 'nonsense', 'other', 'open:1:2:x:')
    const store = redisSessionStore({ redis })
    expect(await store.list('spoilt', 0)).toEqual([])
    expect(await store.touch('spoilt', touch, 0)).toMatchObject({ opened: true })
    expect(await client.hkeys(keyOf('spoilt'))).toEqual([touch.handle])
  })

  it('opens nothing in part when Redis is out of memory', async () => {
    const own = await startRedis({ own: true })
    const there = new Redis(own.url)
    try {
      const store = redisSessionStore({ redis: evaluatorOf(there) })
      await there.config('SET', 'maxmemory', '1')
      await expect(store.touch('oom', touch, 0)).rejects.toThrow(/OOM/)
      expect(await store.list('oom', 0)).toEqual([])
      await there.config('SET', 'maxmemory', '0')
      expect(await store.touch('oom', touch, 0)).toMatchObject({ opened: true })
    } finally {
      there.disconnect()
      await own[Symbol.asyncDispose]()
    }
  })
})
