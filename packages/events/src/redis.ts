export type { EventsRedis, EventsScript, EventsSubscriber } from './redis/port.ts'
export { type RedisLogOptions, redisLog } from './redis/redis-log.ts'
export { type RedisRecordingsOptions, redisRecordings } from './redis/redis-recordings.ts'
