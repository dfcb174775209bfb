import { concurrency, createRateLimiter, tokenBucket } from '@tidegate/rate-limit'
import { redisStore } from '@tidegate/rate-limit/redis'
import { connectRedis, redisSettingsFromEnv } from '@tidegate/redis'

/** A slot that isn't renewed for so long is free again: nobody's crash keeps it. */
export const SLOT_TTL_MS = 30_000

const policies = {
  requests: tokenBucket({ limit: 60, windowMs: 3_600_000, burst: 10 }),
  'free-streams': concurrency({ limit: 1, ttlMs: SLOT_TTL_MS }),
  'pro-streams': concurrency({ limit: 3, ttlMs: SLOT_TTL_MS }),
}

/** The limits: in this process's memory or, where `REDIS_URL` is set, shared by all that use that Redis. */
export function createLimits(env: Readonly<Record<string, string | undefined>>) {
  const settings = redisSettingsFromEnv(env)
  const redis = settings && connectRedis(settings)
  const limiter = createRateLimiter({
    policies,
    store: redis && redisStore({ redis: redis.commands, prefix: 'stories:limit' }),
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
