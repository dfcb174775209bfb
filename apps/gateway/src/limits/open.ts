import type { Logger } from '@tidegate/logger'
import type { Settings } from '../config/settings.ts'
import type { SharedRedis } from '../redis.ts'
import { Limits } from './limits.ts'

/** What a request waits for Redis at most, before this gateway decides by its own share. */
const STORE_TIMEOUT_MS = 500

/** The limits of a gateway: in Redis where there is one, else in this process. */
export async function openLimits(
  settings: Settings,
  redis: SharedRedis | undefined,
  logger: Logger,
): Promise<Limits> {
  const { limits, tiers } = settings
  const { commandTimeoutMs = STORE_TIMEOUT_MS } = settings.redis?.options ?? {}
  return new Limits({
    limits,
    tiers,
    store: redis && (await storeIn(redis)),
    storeTimeoutMs: Math.min(commandTimeoutMs, STORE_TIMEOUT_MS),
    onStoreChange: ({ available, error }) => {
      if (available) logger.info('limits are shared again')
      else logger.warn({ err: error }, 'limits are decided by this process alone for now')
    },
    onError: (error) => logger.warn({ err: error }, 'what a limit held was not given back'),
  })
}

async function storeIn({ connections, prefix }: SharedRedis) {
  const { redisStore } = await import('@tidegate/rate-limit/redis')
  return redisStore({ redis: connections.commands, prefix: `${prefix}:limit:1` })
}
