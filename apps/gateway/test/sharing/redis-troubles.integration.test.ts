import {
  type Provider,
  type RedisServer,
  type RunningGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sharingGateway } from './sharing-gateway.ts'
import { Traffic } from './traffic.ts'

let provider: Provider
let redis: RedisServer
let gateways: RunningGateway[]

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(async () => {
  redis = await startRedis({ own: true })
  const each = [1, 2].map(() => sharingGateway(provider, { redis: redis.url, cluster: true }))
  gateways = await Promise.all(each)
})
afterEach(async () => {
  redis.resume()
  await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()))
  await redis[Symbol.asyncDispose]()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

const troubles = {
  'is killed and comes back empty': {
    strike: () => redis.kill(),
    recover: () => redis.start(),
  },
  'hangs and goes on': {
    strike: async () => redis.pause(),
    recover: async () => redis.resume(),
  },
  'is restarted at once': {
    strike: async () => {
      await redis.stop()
      await redis.start()
    },
    recover: async () => undefined,
  },
  'forgets everything': {
    strike: async () => void (await redis.command('FLUSHALL')),
    recover: async () => undefined,
  },
}

describe('two gateways that share answers over a Redis', () => {
  for (const [what, { strike, recover }] of Object.entries(troubles)) {
    it(`answer every request when it ${what}`, async () => {
      const traffic = new Traffic(gateways)
      await traffic.more(300)
      for (let turn = 0; turn < 2; turn += 1) {
        await strike()
        await traffic.more(300)
        await recover()
        await traffic.more(300)
      }
      expect(await traffic.stop()).toEqual([])
      // What is shared spares calls: far fewer than requests were made.
      expect(provider.hits).toBeLessThan(traffic.answered)
      provider.reset()
    }, 120_000)
  }
})
