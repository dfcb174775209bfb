import { type EventLog, memoryLog } from '@tidegate/events'
import { redisLog } from '@tidegate/events/redis'
import { connectRedis, redisSettingsFromEnv } from '@tidegate/redis'

/** What is older than a day is of no interest, and what is more than this is too much. */
const bounds = { maxAgeMs: 24 * 3_600_000, maxEntries: 100_000 }

export interface Journal {
  readonly log: EventLog
  close(): Promise<void>
}

/** Where parcels were: in this process's memory or, where `REDIS_URL` is set, in that Redis, for all processes. */
export function openJournal(
  env: Readonly<Record<string, string | undefined>>,
  key = 'parcels:seen:1',
): Journal {
  const settings = redisSettingsFromEnv(env)
  if (settings === undefined) {
    const log = memoryLog(bounds)
    return { log, close: () => log.close() }
  }
  const redis = connectRedis(settings)
  const log = redisLog({
    redis: redis.commands,
    subscriber: redis.subscriber(),
    key,
    ...bounds,
    onError: () => console.warn('Redis is away: readers wait until it is back'),
  })
  const close = async () => {
    await log.close()
    await redis.close()
  }
  return { log, close }
}
