export {
  type RedisEvaluator,
  type RedisStoreOptions,
  redisStore,
} from './redis/redis-store.ts'
