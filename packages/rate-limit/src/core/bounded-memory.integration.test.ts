import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Hono } from 'hono'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rateLimit } from '../hono/rate-limit.ts'
import { redisStore } from '../redis/redis-store.ts'
import { evaluatorOf } from '../redis/scripted-redis.fixture.ts'
import { memoryStore } from './memory-store.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const HOUR_MS = 3_600_000

/** Far less than the subjects that came in between would take, and more than what a heap sways by. */
const MOST_GROWTH = 12_000_000

function heap(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** By how much the heap grows from when the first `known` subjects were seen until all were. */
async function growth(
  known: number,
  all: number,
  see: (subject: string) => unknown,
  atOnce = 1,
): Promise<number> {
  let full = 0
  for (let seen = 0; seen < all; seen += atOnce) {
    if (seen === known) full = heap()
    await Promise.all(Array.from({ length: atOnce }, (_, at) => see(`subject:${seen + at}`)))
  }
  return heap() - full
}

describe('the memory of limits', () => {
  it('is bounded under a million subjects', { timeout: 120_000 }, async () => {
    const store = memoryStore()
    const policies = { requests: tokenBucket({ limit: 10, windowMs: HOUR_MS }) }
    const limiter = createRateLimiter({ policies, store })
    expect(await growth(200_000, 1_000_000, (one) => limiter.check('requests', one))).toBeLessThan(
      MOST_GROWTH,
    )
    expect(store.size).toBe(100_000)
  })

  it('is bounded for what subjects hold and never give back', { timeout: 120_000 }, async () => {
    const store = memoryStore({ maxKeys: 10_000 })
    const limiter = createRateLimiter({
      policies: {
        daily: fixedWindow({ limit: 10, windowMs: 24 * HOUR_MS }),
        logins: slidingWindow({ limit: 10, windowMs: HOUR_MS }),
        streams: concurrency({ limit: 5, ttlMs: HOUR_MS }),
        tokens: budget({ limit: 1_000, windowMs: HOUR_MS, ttlMs: HOUR_MS }),
      },
      store,
    })
    const see = (subject: string) =>
      limiter.acquire(subject, ['daily', 'logins', 'streams', { policy: 'tokens', cost: 100 }])
    expect(await growth(20_000, 100_000, see)).toBeLessThan(MOST_GROWTH)
    expect(store.size).toBe(40_000)
  })

  it('is bounded behind the middleware', { timeout: 120_000 }, async () => {
    const store = memoryStore({ maxKeys: 10_000 })
    const policies = { requests: tokenBucket({ limit: 1, windowMs: HOUR_MS }) }
    const app = new Hono()
    app.use(
      rateLimit({
        limiter: createRateLimiter({ policies, store }),
        policies: 'requests',
        key: (c) => c.req.header('x-user'),
      }),
    )
    app.get('/', (c) => c.text('hello'))
    const see = (user: string) => app.request('/', { headers: { 'x-user': user } })
    expect(await growth(20_000, 100_000, see, 100)).toBeLessThan(MOST_GROWTH)
    expect(store.size).toBe(10_000)
  })
})

describe('the memory of limits in Redis', () => {
  let server: RedisServer
  let client: Redis

  beforeAll(async () => {
    server = await startRedis({ own: true })
    client = new Redis(server.url)
  })

  afterAll(async () => {
    client.disconnect()
    await server[Symbol.asyncDispose]()
  })

  it('is bounded in the process, and every key expires', { timeout: 180_000 }, async () => {
    const store = redisStore({ redis: evaluatorOf(client), maxSubjects: 5_000 })
    const limiter = createRateLimiter({
      policies: {
        once: fixedWindow({ limit: 1, windowMs: 24 * HOUR_MS }),
        leased: tokenBucket({ limit: 1_000, windowMs: HOUR_MS, precision: 'leased' }),
        streams: concurrency({ limit: 5, ttlMs: HOUR_MS }),
        tokens: budget({ limit: 1_000, windowMs: HOUR_MS, ttlMs: HOUR_MS }),
        logins: slidingWindow({ limit: 10, windowMs: HOUR_MS }),
      },
      store,
      storeTimeoutMs: 30_000,
    })
    // Remembers a denial, a lease and the names of keys.
    const see = async (subject: string) => {
      await limiter.check('once', subject)
      await limiter.check('once', subject)
      await Promise.all(Array.from({ length: 5 }, () => limiter.check('leased', subject)))
      await limiter.check('leased', subject)
    }
    expect(await growth(24_000, 100_000, see, 400)).toBeLessThan(MOST_GROWTH)
    await limiter.acquire('ada', ['streams', 'tokens', 'logins'])
    await limiter.block('logins', 'eve', HOUR_MS)

    const ttls = new Map<string, number>()
    for await (const keys of client.scanStream({ count: 5_000 })) {
      const pipeline = client.pipeline()
      for (const key of keys) pipeline.pttl(key)
      const answers = (await pipeline.exec()) ?? []
      for (const [at, key] of keys.entries()) ttls.set(key, Number(answers[at]?.[1]))
    }
    expect(ttls.size).toBeGreaterThanOrEqual(2 * 100_000 + 5)
    expect([...ttls].filter(([, ttl]) => !(ttl > 0))).toEqual([])
    await limiter.close()
  })
})
