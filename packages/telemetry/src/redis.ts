export type { TelemetryRedis, TelemetryScript } from './redis/port.ts'
export { type RedisHistoryOptions, redisHistoryStore } from './redis/redis-history-store.ts'
