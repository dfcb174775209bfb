import { createCache } from '@tidegate/cache'
import { redisBus, redisDriver } from '@tidegate/cache/redis'
import { connectRedis, redisSettingsFromEnv } from '@tidegate/redis'

/** Where several applications share a Redis, each has a prefix and a channel of its own. */
const PREFIX = 'shop:cache'

/** The cache: in this process's memory and, where `REDIS_URL` is set, in front of that Redis. */
export function openShopCache(env: Readonly<Record<string, string | undefined>>) {
  const settings = redisSettingsFromEnv(env)
  const redis = settings && connectRedis(settings)
  const cache = createCache({
    ttl: '1m',
    // A product that can't be read again is sold by what was known of it, for an hour.
    stale: '1h',
    softTimeout: '200ms',
    hardTimeout: '5s',
    lock: redis ? 'cluster' : 'process',
    popular: true,
    ...(redis && {
      l2: redisDriver({ redis: redis.commands, prefix: PREFIX }),
      bus: redisBus({
        redis: redis.commands,
        subscriber: redis.subscriber(),
        channel: `${PREFIX}:bus`,
      }),
    }),
    onEvent({ type }) {
      if (type === 'l2_away') console.warn('Redis is away: each process has a cache of its own')
      if (type === 'recovered') console.warn('Redis is back: the cache is shared again')
    },
  })
  const close = async () => {
    await cache.close()
    await redis?.close()
  }
  return { cache, close }
}

export type ShopCache = ReturnType<typeof openShopCache>['cache']
