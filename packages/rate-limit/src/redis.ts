export {
  type RedisEvaluator,
  type RedisStoreOptions,
  redisStore,
} from './redis/redis-store.ts'
export {
  type RedisSessionStoreOptions,
  redisSessionStore,
} from './sessions/redis-session-store.ts'
