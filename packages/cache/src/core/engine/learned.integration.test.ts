import { startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { redisOf } from '../../redis/redis.fixture.ts'
import { redisDriver } from '../../redis/redis-driver.ts'
import { createCache } from '../create-cache.ts'

it('joins what processes recorded as popular, in Redis, for the next one to warm up by', async () => {
  await using server = await startRedis()
  const client = new Redis(server.url)
  const name = `popular-${process.pid}`
  const open = () =>
    createCache({ name, popular: { every: 1 }, l2: redisDriver({ redis: redisOf(client) }) })
  const [one, other] = [open(), open()]
  const ask = async (cache: typeof one, keys: readonly string[]) => {
    for (const key of keys) await cache.getOrSet(key, () => key)
  }
  await ask(one, ['a', 'a', 'a', 'b'])
  await ask(other, ['c', 'c', 'b'])
  await one.close()
  await other.close()

  const next = open()
  const popular = await next.popular()
  expect(popular.map(({ key }) => key)).toEqual(['a', 'c', 'b'])
  await next.clear()
  const items = popular.map(({ key }) => ({ key, load: () => `${key} again` }))
  expect(await next.warm(items)).toMatchObject({ done: 3, skipped: 0 })
  expect(next.peek('a')).toBe('a again')
  await next.close()
  client.disconnect()
})
