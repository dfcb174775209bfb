import { once } from 'node:events'
import { type RedisServer, startRedis, startRedisCluster } from '@tidegate/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BusHarness, busConformance } from '../testing/conformance.ts'
import { frank, redisOf, subscriberOf } from './redis.fixture.ts'
import { redisBus } from './redis-bus.ts'

async function connected(url: string): Promise<Redis> {
  const client = new Redis(url, frank)
  client.on('error', () => undefined)
  if (client.status !== 'ready') await once(client, 'ready')
  return client
}

describe('redisBus conforms', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis({ own: true })
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  const open = async (): Promise<BusHarness> => {
    const clients = [await connected(server.url), await connected(server.url)]
    const listening = [await connected(server.url), await connected(server.url)]
    const [bus, elsewhere] = clients.flatMap((client, at) => {
      const subscriber = listening[at]
      return subscriber === undefined
        ? []
        : [redisBus({ redis: redisOf(client), subscriber: subscriberOf(subscriber) })]
    })
    if (bus === undefined || elsewhere === undefined) throw new TypeError('no bus')
    return {
      bus,
      elsewhere,
      lose: () => server.kill(),
      restore: () => server.start(),
      close() {
        for (const client of [...clients, ...listening]) client.disconnect()
      },
    }
  }

  for (const { name, run } of busConformance) it(name, () => run(open))
})

describe('redisBus', () => {
  it('keeps channels apart', async () => {
    await using server = await startRedis({ own: true })
    const [client, listening] = [await connected(server.url), await connected(server.url)]
    const [redis, subscriber] = [redisOf(client), subscriberOf(listening)]
    const heard: string[] = []
    const hear = (name: string) => ({
      onMessage: (message: string) => heard.push(`${name}: ${message}`),
      onReset: () => heard.push('reset'),
    })
    const [one, other] = ['one', 'other'].map((channel) => redisBus({ redis, subscriber, channel }))
    await one?.subscribe(hear('one'))
    await other?.subscribe(hear('other'))
    await one?.publish('hello')
    await other?.publish('hi')
    await expect.poll(() => heard).toEqual(['one: hello', 'other: hi'])
    client.disconnect()
    listening.disconnect()
  })

  it('reaches whoever listens at another node of a Cluster', async () => {
    await using cluster = await startRedisCluster()
    const nodes = new Cluster([...cluster.addresses])
    const [, , last] = cluster.nodes
    const listening = await connected(last?.url ?? '')
    const bus = redisBus({ redis: redisOf(nodes), subscriber: subscriberOf(listening) })
    const heard = new Set<string>()
    await bus.subscribe({ onMessage: (message) => heard.add(message), onReset: () => undefined })
    for (const message of ['a', 'b', 'c', 'd', 'e', 'f']) await bus.publish(message)
    await expect.poll(() => heard.size).toBe(6)
    nodes.disconnect()
    listening.disconnect()
  })
})
