import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../core/memory-store.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import {
  budget,
  concurrency,
  fixedWindow,
  type Rule,
  slidingWindow,
  tokenBucket,
} from '../core/rules.ts'
import type { Limit, StoreAction, StoreRequest, Verdict } from '../core/store.ts'
import { storeConformance } from '../testing/conformance.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { redisStore } from './redis-store.ts'

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
      const sha1 = createHash('sha1').update(altered).digest('hex')
      const [seconds, ms] = [Math.floor(now() / 1_000), now() % 1_000]
      return redis.evaluate({ source: altered, sha1 }, keys, [...args, seconds, ms * 1_000 + 999])
    },
  }
}

const ownClock = (redis: RedisEvaluator) => ({
  store: redisStore({ redis }),
  exact: false,
  now: () => 0,
  advance: (ms: number) => sleep(ms + 2),
})

const testClock = (redis: RedisEvaluator) => {
  let clock = 1_800_000_000_123
  return {
    store: redisStore({ redis: clocked(redis, () => clock) }),
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

describe.concurrent('redisStore conforms on one server', () => {
  for (const { name, run } of storeConformance) it(name, () => run(() => ownClock(redis)))
})

describe('redisStore conforms to the millisecond', () => {
  for (const { name, run } of storeConformance) it(name, () => run(() => testClock(redis)))
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

/** What memory says, as Redis would: whether a reset found something depends on who tidies up when. */
function comparable(verdicts: readonly Verdict[], requests: readonly StoreRequest[]) {
  return verdicts.map(({ source: _, stamp: __, applied, ...verdict }, at) => ({
    ...verdict,
    applied: requests[at]?.action === 'reset' || applied,
  }))
}

describe('redisStore beside memoryStore', () => {
  const isHeld = ({ rule }: Limit) => rule.kind === 'concurrency' || rule.kind === 'budget'
  const flowActions = ['take', 'take', 'take', 'peek', 'penalty', 'block', 'reset'] as const
  const heldActions = [...flowActions, 'take', 'renew', 'release', 'settle', 'settle'] as const

  const window = fc.record({
    limit: fc.integer({ min: 1, max: 32 }),
    windowMs: fc.integer({ min: 1, max: 2_000 }),
  })
  const ruleset = fc
    .record({
      window,
      burst: fc.integer({ min: 1, max: 60 }),
      ttlMs: fc.integer({ min: 1, max: 1_000 }),
    })
    .map(({ window: options, burst, ttlMs }) =>
      limitsOf({
        bucket: tokenBucket({ ...options, burst }),
        shadow: tokenBucket({ ...options, burst: 2, shadow: true }),
        sliding: slidingWindow(options),
        fixed: fixedWindow(options),
        slots: concurrency({ limit: options.limit, ttlMs }),
        budget: budget({ ...options, burst, ttlMs }),
      }),
    )

  const stepsOf = (limits: readonly Limit[], leastMs: number, ofHeld: readonly StoreAction[]) => {
    const request = fc.constantFrom(...limits).chain((limit) =>
      fc.record({
        limit: fc.constant(limit),
        action: fc.constantFrom<StoreAction>(...(isHeld(limit) ? ofHeld : flowActions)),
        amount: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
        id: isHeld(limit) ? fc.constantFrom('a', 'b', 'c', 'd') : fc.constant(undefined),
        estimate: fc.constantFrom(1, 20),
      }),
    )
    return fc.array(
      fc.record({
        ms: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 30 }) },
          { weight: 3, arbitrary: fc.integer({ min: 0, max: 900 }) },
          { weight: 1, arbitrary: fc.integer({ min: leastMs, max: 0 }) },
        ),
        requests: fc.uniqueArray(request, {
          minLength: 1,
          maxLength: limits.length,
          selector: ({ limit }) => limit.policy,
        }),
      }),
      { maxLength: 40, size: 'max' },
    )
  }

  const differsNever = (
    rules: fc.Arbitrary<readonly Limit[]>,
    leastMs: number,
    ofHeld: readonly StoreAction[] = heldActions,
  ) =>
    fc.assert(
      fc.asyncProperty(
        rules.chain((limits) => fc.tuple(fc.constant(limits), stepsOf(limits, leastMs, ofHeld))),
        async ([limits, steps]) => {
          let clock = 1_800_000_000_000
          const memory = memoryStore()
          const store = redisStore({ redis: clocked(redis, () => clock) })
          const subject = freshSubject()
          const ask = async (requests: readonly StoreRequest[]) => {
            const told = await store.decide(subject, requests, 0)
            const expected = memory.decide(subject, requests, clock)
            expect(comparable(told, requests)).toEqual(comparable(expected, requests))
          }
          const nothing = limits.map((limit) => ({ limit, action: 'penalty', amount: 0 }) as const)
          for (const { ms, requests } of steps) {
            // Redis remembers no time that only denials and looks have seen; taking nothing tells it.
            if (ms < 0) await ask(nothing)
            clock += ms
            await ask(requests)
          }
        },
      ),
      { numRuns: 150 },
    )

  it('says the same of every history, also when the clock steps back', async () => {
    await differsNever(ruleset, -1_500)
  })

  it('says the same of sliding windows that keep admissions in groups', async () => {
    const options = fc.record({
      limit: fc.integer({ min: 33, max: 80 }),
      windowMs: fc.integer({ min: 100, max: 3_000 }),
    })
    await differsNever(
      options.map((window) => limitsOf({ sliding: slidingWindow(window) })),
      0,
    )
  })

  it('says the same of budgets with several reservations at once', async () => {
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 60 }),
      burst: fc.integer({ min: 60, max: 400 }),
      windowMs: fc.integer({ min: 500, max: 5_000 }),
      ttlMs: fc.integer({ min: 500, max: 5_000 }),
    })
    await differsNever(
      options.map((numbers) => limitsOf({ budget: budget(numbers) })),
      -100,
      ['take', 'take', 'settle', 'settle', 'renew', 'release', 'peek'],
    )
  })

  it('says the same of numbers as large as any rule takes', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const limits = limitsOf({
      bucket: tokenBucket({ limit: 1, windowMs: 2 ** 42, burst: 256 }),
      sliding: slidingWindow({ limit: most, windowMs: 2 ** 42 }),
      fixed: fixedWindow({ limit: most, windowMs: 2 ** 42 }),
      slots: concurrency({ limit: most, ttlMs: 2 ** 42 }),
      budget: budget({ limit: 2 ** 50, windowMs: 1, burst: 2 ** 50, ttlMs: 2 ** 42 }),
    })
    const clock = 1_800_000_000_123
    const memory = memoryStore()
    const store = redisStore({ redis: clocked(redis, () => clock) })
    const subject = freshSubject()
    const rounds: readonly (readonly [StoreAction, number])[] = [
      ['take', 200],
      ['take', 2 ** 49 - 1],
      ['take', most - 1_000],
      ['peek', most],
      ['penalty', 2 ** 32],
      ['settle', most],
      ['block', 2 ** 42],
      ['peek', 1],
    ]
    for (const [round, [action, amount]] of rounds.entries()) {
      for (const limit of limits) {
        const id = `id-${round}`
        const requests = [{ limit, action, amount, id, estimate: 1 }]
        const told = await store.decide(subject, requests, 0)
        const expected = memory.decide(subject, requests, clock)
        expect(comparable(told, requests)).toEqual(comparable(expected, requests))
      }
    }
  })

  it('has more holders than are read at a time', async () => {
    let clock = 1_800_000_000_000
    const memory = memoryStore()
    const store = redisStore({ redis: clocked(redis, () => clock) })
    const [limit] = limitsOf({ slots: concurrency({ limit: 500, ttlMs: 10_000 }) })
    if (limit === undefined) throw new TypeError('no limit')
    const subject = freshSubject()
    const ask = async (action: StoreAction, amount: number, id?: string) => {
      const requests = [{ limit, action, amount, id }]
      const told = comparable(await store.decide(subject, requests, 0), requests)
      expect(told).toEqual(comparable(memory.decide(subject, requests, clock), requests))
      return told[0]
    }
    for (let holder = 0; holder < 260; holder += 1) {
      clock += 3
      await ask('take', holder % 50 === 0 ? 3 : 1, `holder-${holder}`)
    }
    expect(await ask('peek', 500)).toMatchObject({ allowed: false })
    clock += 9_500
    expect(await ask('peek', 500)).toMatchObject({ allowed: false })
    clock += 10_000
    expect(await ask('peek', 500)).toMatchObject({ allowed: true, remaining: 500, resetMs: 0 })
  })
})

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
    expect(await client.dbsize()).toBeGreaterThanOrEqual(5)
    const resets = everyKind().map((limit) => ({ limit, action: 'reset', amount: 0 }) as const)
    await store.decide('everything', resets, 0)
    for (const action of actions) await store.decide(`only-${action}`, resets, 0)
    expect(await client.dbsize()).toBe(0)
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
    expect(await client.dbsize()).toBe(0)
    const [slots] = limits.filter(({ rule }) => rule.kind === 'concurrency')
    if (slots === undefined) throw new TypeError('no slots')
    await store.decide('returns', [{ limit: slots, action: 'take', amount: 2, id: 'x' }], 0)
    expect(await client.dbsize()).toBe(1)
    await store.decide('returns', [{ limit: slots, action: 'release', amount: 0, id: 'x' }], 0)
    expect(await client.dbsize()).toBe(0)
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
