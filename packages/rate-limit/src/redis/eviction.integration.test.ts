import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreChange } from '../core/fallback/fallback-store.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from '../core/rules.ts'
import { redisStore } from './redis-store.ts'
import { evaluatorOf } from './scripted-redis.fixture.ts'

const DAY = 86_400_000
const PREFIX = 'evicted'
const ROOM = 4 * 2 ** 20

let server: RedisServer
let client: Redis

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

/** Leaves Redis so little room that it has to forget something for whatever is written. */
async function limitMemory(policy: string): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  await client.config('SET', 'maxmemory', used + ROOM)
  await client.config('SET', 'maxmemory-policy', policy)
}

const limiters = () => client.keys(`${PREFIX}:{*`)

/** Writes 4 MB that somebody else keeps in the same Redis. */
async function fill(round: number, ...lasts: readonly (string | number)[]): Promise<void> {
  const writes = client.pipeline()
  for (let at = 0; at < 2_000; at += 1) {
    writes.call('SET', `other:${round}:${at}`, 'x'.repeat(2_000), ...lasts)
  }
  await writes.exec()
}

function open() {
  const changes: StoreChange[] = []
  const limiter = createRateLimiter({
    policies: {
      bucket: tokenBucket({ limit: 10, windowMs: DAY }),
      sliding: slidingWindow({ limit: 10, windowMs: DAY }),
      fixed: fixedWindow({ limit: 10, windowMs: DAY }),
      tokens: budget({ limit: 10, windowMs: DAY }),
      slots: concurrency({ limit: 10, ttlMs: DAY }),
    },
    store: redisStore({ redis: evaluatorOf(client), prefix: PREFIX }),
    storeTimeoutMs: 10_000,
    onStoreChange: (change) => changes.push(change),
  })
  return { limiter, changes }
}

describe('a Redis that evicts limits', () => {
  const names = ['bucket', 'sliding', 'fixed', 'tokens', 'slots'] as const
  const all = names.map((policy) => ({ policy, cost: 4 }))

  it.each([
    ['allkeys-lru', []],
    ['volatile-ttl', ['PX', 2 * DAY]],
  ])('by %s has lost them, which is no error, and counts anew', async (policy, lasts) => {
    await client.flushall()
    await limitMemory(policy)
    const { limiter, changes } = open()
    const { lease } = await limiter.acquire('ada', all)
    const left = async () =>
      (await Promise.all(names.map((name) => limiter.peek(name, 'ada')))).map((told) => [
        told.remaining,
        told.source,
      ])
    expect(await left()).toEqual(names.map(() => [6, 'redis']))
    for (let round = 0; round < 100 && (await limiters()).length > 0; round += 1) {
      await fill(round, ...lasts)
    }
    expect(await limiters()).toEqual([])
    expect(await left()).toEqual(names.map(() => [10, 'redis']))
    expect(await lease?.renew()).toBe(false)
    expect(await lease?.settle(1)).toBe(false)
    expect(await lease?.release()).toBe(false)
    const again = await limiter.acquire('ada', all)
    expect(again).toMatchObject({ allowed: true, remaining: 6, source: 'redis' })
    expect(changes).toEqual([])
    await limiter.close()
  })

  it('goes on deciding while all is being evicted', async () => {
    await client.flushall()
    await limitMemory('allkeys-lru')
    const { limiter, changes } = open()
    for (let round = 0; round < 20; round += 1) {
      const filled = fill(round)
      const asked = Array.from({ length: 50 }, (_, who) =>
        limiter.checkAll(`${round}-${who}`, ['bucket', 'sliding', 'fixed']),
      )
      for (const { allowed, source } of await Promise.all(asked)) {
        expect([allowed, source]).toEqual([true, 'redis'])
      }
      await filled
    }
    expect((await limiters()).length).toBeLessThan(20 * 50 * 3)
    expect(changes).toEqual([])
    await limiter.close()
  })
})
