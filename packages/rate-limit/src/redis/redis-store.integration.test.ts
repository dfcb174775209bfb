import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRateLimiter } from '../core/rate-limiter.ts'
import {
  budget,
  concurrency,
  fixedWindow,
  type Rule,
  slidingWindow,
  tokenBucket,
} from '../core/rules.ts'
import type { Limit, StoreAction } from '../core/store.ts'
import { storeConformance } from '../testing/conformance.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { redisStore } from './redis-store.ts'
import { clocked, evaluatorOf } from './scripted-redis.fixture.ts'
import { withLeases } from './tiers/leased-twins.fixture.ts'

const ownClock = (redis: RedisEvaluator) => {
  const store = redisStore({ redis })
  return {
    store,
    exact: false,
    now: () => 0,
    advance: (ms: number) => sleep(ms + 2),
    close: () => store.close?.(),
  }
}

const testClock = (redis: RedisEvaluator) => {
  let clock = 1_800_000_000_123
  const time = () => clock
  const store = redisStore({ redis: clocked(redis, time), monotonic: time, wall: time })
  return {
    store,
    exact: true,
    now: time,
    advance: (ms: number) => {
      clock += ms
    },
    close: () => store.close?.(),
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

describe.concurrent('redisStore conforms on one server', () => {
  for (const { name, run } of storeConformance) it(name, () => run(() => ownClock(redis)))
})

describe('redisStore conforms to the millisecond', () => {
  for (const { name, run } of storeConformance) {
    it(name, () => run(() => testClock(redis)))
    it(`${name} (with all leased that can be)`, () =>
      run(() => {
        const harness = testClock(redis)
        return { ...harness, store: withLeases(harness.store) }
      }))
  }
})

describe.concurrent('redisStore conforms on a Cluster', () => {
  let cluster: RedisCluster
  let nodes: Cluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = new Cluster([...cluster.addresses])
  })

  afterAll(async () => {
    nodes?.disconnect()
    await cluster?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of storeConformance) {
    it(name, () => run(() => ownClock(evaluatorOf(nodes))))
  }
})

const limitsOf = (rules: Readonly<Record<string, Rule>>): readonly Limit[] =>
  Object.entries(rules).map(([policy, rule]) => ({ policy, rule }))

const everyKind = () =>
  limitsOf({
    bucket: tokenBucket({ limit: 10, windowMs: 600_000 }),
    sliding: slidingWindow({ limit: 10, windowMs: 600_000 }),
    fixed: fixedWindow({ limit: 10, windowMs: 600_000 }),
    slots: concurrency({ limit: 10, ttlMs: 600_000 }),
    budget: budget({ limit: 10, windowMs: 600_000 }),
  })

let subjects = 0
const freshSubject = () => {
  subjects += 1
  return `subject-${subjects}`
}

/** How many limiters Redis keeps. */
const limiters = async () => (await client.keys('*{*')).length

describe('redisStore', () => {
  const idle = { action: 'peek', amount: 1 } as const

  it('lets every key expire, whatever was asked', async () => {
    await client.flushall()
    const store = redisStore({ redis })
    const actions: readonly StoreAction[] = ['take', 'penalty', 'block', 'renew', 'settle']
    for (const action of actions) {
      const amount = action === 'block' ? 60_000 : 5
      const requests = everyKind().map((limit) => ({ limit, action, amount, id: 'x' }))
      await store.decide('everything', requests, 0)
      await store.decide(`only-${action}`, requests, 0)
      for (const key of await client.keys('*')) {
        const ttl = await client.pttl(key)
        expect(ttl).toBeGreaterThan(0)
        expect(ttl).toBeLessThanOrEqual(1_200_000)
      }
    }
    expect(await limiters()).toBeGreaterThanOrEqual(5)
    const resets = everyKind().map((limit) => ({ limit, action: 'reset', amount: 0 }) as const)
    await store.decide('everything', resets, 0)
    for (const action of actions) await store.decide(`only-${action}`, resets, 0)
    expect(await limiters()).toBe(0)
  })

  it('writes nothing for who only looks, is denied, or gives everything back', async () => {
    await client.flushall()
    const store = redisStore({ redis })
    const limits = everyKind()
    await store.decide(
      'looks',
      limits.map((limit) => ({ limit, ...idle })),
      0,
    )
    const asksTooMuch = limits.map((limit) => ({ limit, action: 'take', amount: 11 }) as const)
    await store.decide('denied', asksTooMuch, 0)
    expect(await limiters()).toBe(0)
    const [slots] = limits.filter(({ rule }) => rule.kind === 'concurrency')
    if (slots === undefined) throw new TypeError('no slots')
    await store.decide('returns', [{ limit: slots, action: 'take', amount: 2, id: 'x' }], 0)
    expect(await limiters()).toBe(1)
    await store.decide('returns', [{ limit: slots, action: 'release', amount: 0, id: 'x' }], 0)
    expect(await limiters()).toBe(0)
  })

  it('charges nothing in part when Redis is out of memory', async () => {
    const store = redisStore({ redis })
    const limits = everyKind()
    const subject = freshSubject()
    const takes = limits.map((limit) => ({ limit, action: 'take', amount: 3, id: 'x' }) as const)
    await client.config('SET', 'maxmemory', '1')
    await expect(store.decide(subject, takes, 0)).rejects.toThrow(/OOM/)
    await client.config('SET', 'maxmemory', '0')
    const after = await store.decide(
      subject,
      limits.map((limit) => ({ limit, ...idle })),
      0,
    )
    expect(after.map(({ remaining }) => remaining)).toEqual([10, 10, 10, 10, 10])
  })

  it('gives back to each of those who were decided together what it took', async () => {
    const store = redisStore({ redis })
    const [bucket] = limitsOf({ together: tokenBucket({ limit: 30, windowMs: 86_400_000 }) })
    if (bucket === undefined) throw new TypeError('no bucket')
    const take = { limit: bucket, action: 'take', amount: 4 } as const
    const subject = randomUUID()
    const told = await Promise.all(
      Array.from({ length: 9 }, () => store.decide(subject, [take], 0)),
    )
    const verdicts = told.flat()
    expect(verdicts.map(({ applied }) => applied)).toEqual([...Array(7).fill(true), false, false])
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([26, 22, 18, 14, 10, 6, 2, 2, 2])
    for (const { applied, stamp } of verdicts) {
      const refund = { ...take, action: 'refund', stamp } as const
      expect(await store.decide(subject, [refund], 0)).toMatchObject([{ applied }])
    }
    // What drained meanwhile doesn't come back twice.
    const [left] = await store.decide(subject, [{ ...take, action: 'peek' }], 0)
    expect(left?.remaining).toBeGreaterThanOrEqual(29)
    await store.close?.()
  })

  it('shares limits between limiters, and holds leases for them', async () => {
    const limiter = () =>
      createRateLimiter({
        policies: {
          requests: tokenBucket({ limit: 5, windowMs: 86_400_000 }),
          tokens: budget({ limit: 1_000, windowMs: 86_400_000 }),
          streams: concurrency({ limit: 1 }),
        },
        store: redisStore({ redis, prefix: 'shared' }),
      })
    const [here, there] = [limiter(), limiter()]
    const all = ['requests', { policy: 'tokens', cost: 400 }, 'streams'] as const
    const first = await here.acquire('ada', all)
    if (!first.allowed) throw new TypeError('the first was denied')
    const second = await there.acquire('ada', all)
    expect(second).toMatchObject({ allowed: false, policy: 'streams', source: 'redis' })
    expect(await first.lease.settle(100)).toBe(true)
    expect(await first.lease.release()).toBe(true)
    expect(await there.peek('tokens', 'ada')).toMatchObject({ remaining: 900 })
    expect(await there.peek('requests', 'ada')).toMatchObject({ remaining: 4 })
    expect(await there.acquire('ada', all)).toMatchObject({ allowed: true })
    expect(there.checkSync('requests', 'ada')).toBeUndefined()
  })
})
