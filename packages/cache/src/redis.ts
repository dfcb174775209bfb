export { type RedisBusOptions, redisBus } from './redis/redis-bus.ts'
export type { RedisClient, RedisSubscriber } from './redis/redis-client.ts'
export { type RedisDriverOptions, redisDriver } from './redis/redis-driver.ts'
