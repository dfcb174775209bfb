export type { RedisEvaluator } from './redis/evaluator.ts'
export { type RedisStoreOptions, redisStore } from './redis/redis-store.ts'
export {
  type RedisSessionStoreOptions,
  redisSessionStore,
} from './sessions/redis-session-store.ts'
