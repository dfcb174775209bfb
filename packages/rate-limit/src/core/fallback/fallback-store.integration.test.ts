import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RedisEvaluator } from '../../redis/evaluator.ts'
import { redisStore } from '../../redis/redis-store.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import { concurrency, tokenBucket } from '../rules.ts'
import type { StoreChange } from './fallback-store.ts'

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
