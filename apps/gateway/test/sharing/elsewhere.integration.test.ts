import {
  type Provider,
  type RedisServer,
  type RunningGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Asked, ask, faultIn, sharingGateway } from './sharing-gateway.ts'

const shared: readonly Asked[] = [
  { way: 'coalesced', model: 'tide', stream: true },
  { way: 'keyed', model: 'tide', stream: true, key: 'one' },
]

let provider: Provider
let redis: RedisServer
let one: RunningGateway
let other: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(async () => {
  redis = await startRedis({ own: true })
  const each = [1, 2].map(() => sharingGateway(provider, { redis: redis.url, cluster: true }))
  ;[one, other] = (await Promise.all(each)) as [RunningGateway, RunningGateway]
})
afterEach(async () => {
  redis.resume()
  await Promise.all([one, other].map((gateway) => gateway?.[Symbol.asyncDispose]()))
  await redis[Symbol.asyncDispose]()
  provider.reset()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

/** A stream that both gateways are in the middle of, made by the first. */
async function begin(asked: Asked) {
  const gate = Promise.withResolvers<void>()
  provider.always({
    events: 12,
    beforeEvent: (index) => (index === 4 ? gate.promise : undefined),
  })
  const made = await ask(one, asked)
  const followed = await ask(other, asked)
  expect(provider.hits).toBe(1)
  return { made, followed, goOn: gate.resolve }
}

describe('a stream that is made by one gateway and read at another', () => {
  for (const asked of shared) {
    it(`goes on at both when Redis has hung for a while (${asked.way})`, async () => {
      const { made, followed, goOn } = await begin(asked)
      redis.pause()
      goOn()
      const first = await made.text()
      redis.resume()
      expect(await followed.text()).toBe(first)
      expect(first.endsWith('data: [DONE]\n\n')).toBe(true)
      expect(provider.hits).toBe(1)
    }, 60_000)

    it(`is whole where it is made, and broken off elsewhere, when Redis is lost (${asked.way})`, async () => {
      const { made, followed, goOn } = await begin(asked)
      await redis.kill()
      goOn()
      expect(await faultIn(Promise.resolve(made), asked)).toBeUndefined()
      const text = await followed.text()
      expect(text).toContain('"error"')
      expect(text).not.toContain('[DONE]')
      provider.always({})
      for (const gateway of [one, other]) {
        expect(await faultIn(ask(gateway, asked), asked)).toBeUndefined()
      }
    }, 60_000)
  }
})
