import {
  pollUntil,
  type RedisServer,
  type RunningGateway,
  startGateway,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const adminKey = 'admin-of-the-redis-checks'

let redis: RedisServer
let gateway: RunningGateway

beforeAll(async () => {
  redis = await startRedis()
  gateway = await startGateway({
    config: {
      version: 1,
      admin: { key: adminKey },
      redis: { url: redis.url },
      upstreams: { up: { protocol: 'http', endpoints: [{ url: 'http://127.0.0.1:1' }] } },
      routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      health: { interval: '150ms', checks: { other: { redis: redis.url } } },
    },
  })
}, 120_000)
afterAll(async () => {
  for (const each of [gateway, redis]) await each?.[Symbol.asyncDispose]()
})

async function untilIs(name: string, expected: object): Promise<void> {
  let last: unknown
  const headers = { 'x-admin-key': adminKey }
  await pollUntil(
    async () => {
      last = await (await fetch(`${gateway.url}/health/${name}`, { headers })).json()
      return Object.entries(expected).every(([key, value]) => Object(last)[key] === value)
    },
    { timeoutMs: 60_000, describe: () => `${name} is ${JSON.stringify(last)}` },
  )
  expect(last).toMatchObject({
    details: {
      memory_used_bytes: expect.any(Number),
      connected_clients: expect.any(Number),
      role: 'primary',
    },
  })
}

describe('health with a Redis', () => {
  it('tells its memory, clients and replication, of the own one and of one that is checked', async () => {
    await untilIs('redis', { status: 'healthy' })
    await untilIs('other', { status: 'healthy' })
  })

  it('is worse, and not unready, once its memory is nearly full and it evicts nothing', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1000000')
    await untilIs('redis', { status: 'degraded', error: 'memory' })
    await untilIs('other', { status: 'degraded' })
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
    await redis.command('CONFIG', 'SET', 'maxmemory', '0')
    await untilIs('redis', { status: 'healthy' })
    await untilIs('other', { status: 'healthy' })
  })
})
