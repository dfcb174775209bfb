export { type ConfigurationCheckOptions, configurationCheck } from './checks/configuration.ts'
export {
  type Fetch,
  type FetchAnswer,
  type FetchInit,
  type HttpCheckOptions,
  httpCheck,
} from './checks/http.ts'
export type { SrvResolver } from './checks/mongodb/members.ts'
export {
  type MongodbCheckOptions,
  type MongoPinger,
  mongodbCheck,
} from './checks/mongodb/mongodb-check.ts'
export { type PineconeCheckOptions, pineconeCheck } from './checks/pinecone.ts'
export { type PostgresCheckOptions, type PostgresClient, postgresCheck } from './checks/postgres.ts'
export { type RedisCaller, type RedisCheckOptions, redisCheck } from './checks/redis.ts'
export {
  type ConnectionsCheckOptions,
  connectionsCheck,
  type DiskCheckOptions,
  diskCheck,
  type EventLoopCheckOptions,
  eventLoopCheck,
  type MemoryCheckOptions,
  memoryCheck,
} from './checks/system.ts'
export type { MemoryUse } from './core/system/memory.ts'
