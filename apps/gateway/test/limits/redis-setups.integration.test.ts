import {
  type Provider,
  type RunningGateway,
  startGateway,
  startProvider,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, health, limitedGateway, statuses } from './limited-gateway.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

async function admitted(gateways: readonly RunningGateway[], asked: number): Promise<number> {
  const answers = await Promise.all(
    [...Array(asked).keys()].flatMap((index) => {
      const gateway = gateways[index % gateways.length]
      return gateway === undefined ? [] : [ask(gateway, { as: 'ada' })]
    }),
  )
  return answers.filter(({ status }) => status === 200).length
}

describe('limits over a Redis Cluster', () => {
  it('are shared, and decided in one step on whichever node each subject is', async () => {
    await using cluster = await startRedisCluster()
    const limited = {
      limits: { few: { by: 'key', rate: '7/1h' }, many: { by: 'ip', rate: '30/1h' } },
      tiers: { default: { concurrent: 100, tokens: '1m/1h' } },
      names: ['few', 'many', 'tier'],
      keys: { ada: undefined, bob: undefined, eve: undefined },
      more: {
        redis: { cluster: cluster.addresses.map(({ host, port }) => `${host}:${port}`) },
      },
    }
    await using one = await limitedGateway(provider, limited)
    await using two = await limitedGateway(provider, limited)
    expect(await admitted([one, two], 30)).toBe(7)
    expect(await statuses(two, 8, { as: 'bob' })).toEqual([...Array(7).fill(200), 429])
    expect(await statuses(one, 1, { as: 'eve' })).toEqual([200])
    expect(await health(one, 'redis')).toMatchObject({ status: 'healthy' })
  })
})

describe('limits over a Redis with TLS and a password', () => {
  it('work by the variables alone', async () => {
    await using redis = await startRedis({ tls: true, password: 'of redis', own: true })
    const env = {
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      REDIS_PASSWORD: 'of redis',
      REDIS_USE_SSL: 'true',
      REDIS_CA_CERT_PATH: redis.certificates?.caFile ?? '',
      RATE_LIMIT_PER_MINUTE: '1',
      RATE_LIMIT_BURST: '4',
    }
    await using one = await startGateway({ env })
    await using two = await startGateway({ env })
    const asked = { path: '/v1/models' }
    expect(await statuses(one, 2, asked)).toEqual([200, 200])
    expect(await statuses(two, 3, asked)).toEqual([200, 200, 429])
    await one.waitForLog(({ message }) => message === 'redis is connected')
  })
})
