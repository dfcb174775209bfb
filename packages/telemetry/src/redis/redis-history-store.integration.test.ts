import { type RedisServer, startRedis, startRedisCluster } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { historyConformance } from '../testing/history-conformance.ts'
import { type Connected, connect } from './client.fixture.ts'
import { redisHistoryStore } from './redis-history-store.ts'

let server: RedisServer
let connected: Connected

beforeAll(async () => {
  server = await startRedis({ own: true })
  connected = await connect(server.url)
})

afterAll(async () => {
  await connected?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

describe.concurrent('redisHistoryStore conforms', () => {
  const store = () => redisHistoryStore({ redis: connected.redis })
  for (const { name, run } of historyConformance) {
    it(name, () => run(() => ({ store: store(), now: Date.now })))
  }
})

describe.concurrent('redisHistoryStore conforms on a Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  let nodes: Connected

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = await connect(cluster.addresses)
  })

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  const store = () => redisHistoryStore({ redis: nodes.redis })
  for (const { name, run } of historyConformance) {
    it(name, () => run(() => ({ store: store(), now: Date.now })))
  }
})
