export type { RedisCommand, RedisCommands } from './core/commands.ts'
export {
  connectRedis,
  type RedisBlocking,
  type RedisConnections,
  type RedisHealth,
} from './core/connect.ts'
export type { RedisValue } from './core/connection.ts'
export {
  isRedisError,
  type RedisConnectCode,
  RedisConnectError,
  RedisError,
  RedisInterruptedError,
  RedisReplyError,
  type RedisSettingIssue,
  RedisSettingsError,
  RedisTimeoutError,
  RedisUnavailableError,
} from './core/errors.ts'
export type {
  RedisAddress,
  RedisOptions,
  RedisRole,
  RedisSentinel,
  RedisState,
  RedisStateChange,
  RedisTls,
} from './core/options.ts'
export { createScript, type RedisScript } from './core/script.ts'
export type { Revealable } from './core/secret.ts'
export { redisSettingsFromEnv } from './core/settings-from-env.ts'
export type { MessageListener, RedisSubscriber, ResetListener } from './core/subscriber.ts'
