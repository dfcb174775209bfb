import { createRateLimiter, fixedWindow, tokenBucket } from '@tidegate/rate-limit'
import { redisStore } from '@tidegate/rate-limit/redis'
import { connectRedis, redisSettingsFromEnv } from '@tidegate/redis'

const HOUR = 3_600_000

const policies = {
  anonymous: tokenBucket({ limit: 60, windowMs: HOUR, burst: 3 }),
  free: tokenBucket({ limit: 120, windowMs: HOUR, burst: 5 }),
  pro: tokenBucket({ limit: 6_000, windowMs: HOUR, burst: 100 }),
  daily: fixedWindow({ limit: 1_000, windowMs: 24 * HOUR }),
}

/** The limits: in this process's memory or, where `REDIS_URL` is set, shared by all that use that Redis. */
export function createLimits(env: Readonly<Record<string, string | undefined>>) {
  const settings = redisSettingsFromEnv(env)
  const redis = settings && connectRedis(settings)
  const limiter = createRateLimiter({
    policies,
    store: redis && redisStore({ redis: redis.commands, prefix: 'weather:limit' }),
    onStoreChange: ({ available }) =>
      console.warn(available ? 'limits are shared again' : 'Redis is away: limits are local'),
  })
  const close = async () => {
    await limiter.close()
    await redis?.close()
  }
  return { limiter, close }
}

export type Limits = ReturnType<typeof createLimits>
