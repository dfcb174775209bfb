import { setTimeout as sleep } from 'node:timers/promises'
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type DriverHarness, driverConformance } from '../testing/conformance.ts'
import { redisOf } from './redis.fixture.ts'
import { redisDriver } from './redis-driver.ts'

let prefixes = 0
const harnessOf = (client: Redis | Cluster): DriverHarness => {
  prefixes += 1
  const prefix = `test-${prefixes}*[x]?`
  const redis = redisOf(client)
  return {
    driver: redisDriver({ redis, prefix }),
    exact: false,
    advance: async (ms) => {
      await sleep(ms + 2)
    },
    async lose() {
      const glob = prefix.replace(/[*?[\]]/g, '\\$&')
      for await (const names of redis.scan(`${glob}:*`, { count: 1_000 })) {
        await Promise.all(names.map((name) => redis.call('DEL', name)))
      }
    },
  }
}

describe.concurrent('redisDriver conforms on one server', () => {
  let server: RedisServer
  let client: Redis

  beforeAll(async () => {
    server = await startRedis({ own: true })
    client = new Redis(server.url)
  })

  afterAll(async () => {
    client?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of driverConformance) it(name, () => run(() => harnessOf(client)))
})

describe.concurrent('redisDriver conforms on a Cluster', () => {
  let cluster: RedisCluster
  let nodes: Cluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = new Cluster([...cluster.addresses])
  })

  afterAll(async () => {
    nodes?.disconnect()
    await cluster?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of driverConformance) it(name, () => run(() => harnessOf(nodes)))
})
