import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RedisEvaluator } from '../../redis/evaluator.ts'
import { redisStore } from '../../redis/redis-store.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import { concurrency, tokenBucket } from '../rules.ts'
import type { StoreAction } from '../store.ts'
import { FallbackStore, type StoreChange } from './fallback-store.ts'

const HOUR = 3_600_000

let server: RedisServer
let client: Redis

beforeEach(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_500,
    retryStrategy: () => 50,
    lazyConnect: true,
  })
  // What is lost with the connection is told by the commands that fail.
  client.on('error', () => undefined)
  await client.connect()
})

afterEach(async () => {
  client.disconnect()
  await server[Symbol.asyncDispose]()
})

function open() {
  const changes: StoreChange[] = []
  let sent = 0
  const redis: RedisEvaluator = {
    async evaluate({ source }, keys, args) {
      sent += 1
      return client.call('eval', source, keys.length, ...keys, ...args)
    },
  }
  const limiter = createRateLimiter({
    policies: {
      rate: tokenBucket({ limit: 100, windowMs: HOUR }),
      closed: tokenBucket({ limit: 100, windowMs: HOUR, onStoreError: 'deny' }),
      slots: concurrency({ limit: 5, ttlMs: HOUR }),
    },
    store: redisStore({ redis }),
    storeTimeoutMs: 1_000,
    onStoreChange: (change) => changes.push(change),
  })
  const recovered = () =>
    vi.waitFor(async () => expect((await limiter.peek('rate', 'nobody')).source).toBe('redis'), {
      timeout: 20_000,
      interval: 50,
    })
  return { limiter, changes, recovered, sent: () => sent }
}

describe('a limiter whose Redis', () => {
  it('hangs asks it once, goes on at once, and goes back to it when it wakes', async () => {
    const { limiter, changes, recovered, sent } = open()
    const { lease } = await limiter.acquire('ada', 'slots')
    expect(await limiter.check('rate', 'ada')).toMatchObject({ remaining: 99, source: 'redis' })
    server.pause()
    const first = await Promise.all(
      Array.from({ length: 50 }, (_, at) => limiter.check('rate', `user-${at}`)),
    )
    expect(new Set(first.map(({ source }) => source))).toEqual(new Set(['fallback-local']))
    expect(changes).toMatchObject([{ available: false, error: { code: 'store_timeout' } }])
    const before = sent()
    for (let calls = 0; calls < 200; calls += 1) await limiter.check('rate', 'eve')
    expect((await limiter.check('rate', 'eve')).allowed).toBe(false)
    expect((await limiter.check('closed', 'eve')).source).toBe('fallback-deny')
    expect(await lease?.renew()).toBe(true)
    expect(sent() - before).toBeLessThanOrEqual(1)
    server.resume()
    await recovered()
    expect(await limiter.check('rate', 'ada')).toMatchObject({ remaining: 98, source: 'redis' })
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.release()).toBe(true)
    expect(changes.map(({ available }) => available)).toEqual([false, true])
  })

  it('hangs has no slots left of those who were answered without it', async () => {
    const { limiter, recovered } = open()
    const acquireAll = () =>
      Promise.all(Array.from({ length: 5 }, () => limiter.acquire('bob', 'slots')))
    await limiter.check('rate', 'bob')
    server.pause()
    const local = await acquireAll()
    expect(local.map(({ source }) => source)).toEqual(Array(5).fill('fallback-local'))
    await Promise.all(local.map(({ lease }) => lease?.release()))
    server.resume()
    await recovered()
    const shared = await acquireAll()
    expect(shared.map(({ allowed, source }) => [allowed, source])).toEqual(
      Array(5).fill([true, 'redis']),
    )
  })

  it('dies goes on alone until it is started again', async () => {
    const { limiter, changes, recovered } = open()
    await limiter.check('rate', 'ada', { cost: 40 })
    await server.kill()
    expect(await limiter.check('rate', 'ada')).toMatchObject({
      ...{ remaining: 99, source: 'fallback-local' },
    })
    await server.start()
    await recovered()
    expect(await limiter.check('rate', 'ada')).toMatchObject({ remaining: 99, source: 'redis' })
    expect(changes.map(({ available }) => available)).toEqual([false, true])
  })
})

describe('a limiter whose Redis answers but does not write', () => {
  const bucket = { policy: 'rate', rule: tokenBucket({ limit: 100, windowMs: HOUR }) }

  /** A store whose breaker goes by a clock of the test's, over scripts of which the outcomes are known. */
  const openClocked = () => {
    let clock = 0
    const changes: StoreChange[] = []
    const outcomes: string[] = []
    const redis: RedisEvaluator = {
      async evaluate({ source }, keys, args) {
        if (keys[0]?.endsWith(':nodes')) return 1
        const answer = client.call('eval', source, keys.length, ...keys, ...args)
        await answer.then(
          () => outcomes.push('answered'),
          (error) => outcomes.push(String(error)),
        )
        return await answer
      },
    }
    const store = new FallbackStore(redisStore({ redis }), {
      timeoutMs: 1_000,
      now: Date.now,
      onChange: (change) => changes.push(change),
      clock: { monotonic: () => clock, random: () => 0.5 },
    })
    const ask = async (action: StoreAction = 'take') => {
      const [verdict] = await store.decide(
        'ada',
        [{ limit: bucket, action, amount: 1 }],
        Date.now(),
      )
      return verdict
    }
    /** Makes the next look due, and waits for what comes of it. */
    const look = async () => {
      const known = outcomes.length
      clock += 15_000
      expect((await ask())?.source).toBe('fallback-local')
      await vi.waitFor(() => expect(outcomes.length).toBe(known + 1))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { ask, look, changes, outcomes }
  }

  it.each([
    ['is full', 'OOM', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['has become a replica', 'READONLY', ['REPLICAOF'], ['REPLICAOF', 'NO', 'ONE']],
  ] as const)(
    'as it %s goes on alone until it writes again, and says so once',
    async (_, code, [on, ...onArgs], [off, ...offArgs]) => {
      await using primary = await startRedis({ own: true })
      const { ask, look, changes, outcomes } = openClocked()
      expect(await ask()).toMatchObject({ remaining: 99, source: 'redis' })
      const { hostname, port } = new URL(primary.url)
      await client.call(on, ...(on === 'REPLICAOF' ? [hostname, port] : onArgs))
      expect((await ask('peek'))?.source).toBe('redis')
      expect((await ask())?.source).toBe('fallback-local')
      for (let looks = 0; looks < 4; looks += 1) await look()
      expect(outcomes.slice(2).every((outcome) => outcome.includes(code))).toBe(true)
      expect(outcomes).toHaveLength(2 + 1 + 4)
      expect(changes).toMatchObject([{ available: false }])
      await client.call(off, ...offArgs)
      await look()
      await vi.waitFor(async () => expect((await ask('peek'))?.source).toBe('redis'))
      expect(changes.map(({ available }) => available)).toEqual([false, true])
    },
  )

  it('is looked at without charging anything', async () => {
    const { ask, look } = openClocked()
    await client.call('CONFIG', 'SET', 'maxmemory', '1')
    expect((await ask())?.source).toBe('fallback-local')
    await client.call('CONFIG', 'SET', 'maxmemory', '0')
    await look()
    expect(await ask('peek')).toMatchObject({ remaining: 100, source: 'redis' })
    await vi.waitFor(async () => expect(await client.dbsize()).toBe(0))
  })
})
