import testSuite from '@keyv/test-suite'
import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import * as vitest from 'vitest'
import type { Cache } from '../core/cache.ts'
import { createCache } from '../core/create-cache.ts'
import { redisOf } from '../redis/redis.fixture.ts'
import { redisDriver } from '../redis/redis-driver.ts'
import { keyvStore } from './keyv-store.ts'

const { afterAll, beforeAll, describe, expect, it } = vitest

let server: RedisServer
let client: Redis
const caches: Cache[] = []

function open(name: string, l1?: false): Cache {
  const cache = createCache({
    name,
    l2: redisDriver({ redis: redisOf(client) }),
    ...(l1 === undefined ? {} : { l1 }),
  })
  caches.push(cache)
  return cache
}

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.url)
})

afterAll(async () => {
  for (const cache of caches) await cache.close()
  client.disconnect()
  await server[Symbol.asyncDispose]()
})

describe('keyvStore over Redis', () => {
  describe("passes Keyv's suite behind memory", () => {
    let cache: Cache
    beforeAll(() => {
      cache = open('keyv-tiered')
    })
    testSuite(vitest, Keyv, () => keyvStore(cache))
  })

  describe("passes Keyv's suite alone", () => {
    let cache: Cache
    beforeAll(() => {
      cache = open('keyv-alone', false)
    })
    testSuite(vitest, Keyv, () => keyvStore(cache))
  })

  it('gives other processes what Keyv set, and counts what it deleted', async () => {
    const [one, other] = [open('keyv-shared'), open('keyv-shared')]
    await new Keyv({ store: keyvStore(one) }).set('x', { y: 1 })
    const elsewhere = new Keyv({ store: keyvStore(other) })
    expect(await elsewhere.get('x')).toEqual({ y: 1 })
    expect(await elsewhere.delete(['x', 'nothing'])).toBe(true)
  })
})
