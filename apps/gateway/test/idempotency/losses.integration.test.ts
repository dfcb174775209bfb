import {
  type Provider,
  pollUntil,
  type RedisServer,
  type RunningGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, freshKey, keyedGateway, streamed, told } from './keyed-gateway.ts'

let provider: Provider
let redis: RedisServer
let one: RunningGateway
let other: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(async () => {
  redis = await startRedis({ own: true })
  const both = [1, 2].map(() => keyedGateway(provider, { redis: { url: redis.url } }))
  ;[one, other] = (await Promise.all(both)) as [RunningGateway, RunningGateway]
})
afterEach(async () => {
  redis.resume()
  await Promise.all([one, other].map((gateway) => gateway?.[Symbol.asyncDispose]()))
  await redis[Symbol.asyncDispose]()
  provider.reset()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

describe('a gateway that is killed while it answers', () => {
  it('leaves nobody waiting: who had nothing yet is answered anew, and so are repeats', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => promise })
    const asked = { key: freshKey(), body: streamed }
    const lost = told(ask(one, asked)).catch(() => 'lost')
    await provider.waitForRequest()
    const waiting = told(ask(other, asked))
    one.signal('SIGKILL')
    await one.exit
    expect(await lost).toBe('lost')
    const answer = await waiting
    resolve()
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('[DONE]')
    expect(await told(ask(other, asked))).toMatchObject({ body: answer.body, replayed: true })
    expect(provider.hits).toBe(2)
  }, 60_000)

  it('breaks the stream of who had begun to read it, and the next repeat begins anew', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.next({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const asked = { key: freshKey(), body: streamed }
    const lost = told(ask(one, asked)).catch(() => 'lost')
    await provider.waitForRequest()
    const reading = await ask(other, asked)
    one.signal('SIGKILL')
    await one.exit
    expect(await lost).toBe('lost')
    const text = await reading.text()
    resolve()
    expect(text).toContain('"error"')
    expect(text).not.toContain('[DONE]')
    const anew = await told(ask(other, asked))
    expect(anew).toMatchObject({ status: 200, replayed: false })
    expect(anew.body).toContain('[DONE]')
  }, 60_000)
})

describe('without Redis', () => {
  const troubles = {
    hangs: () => Promise.resolve(redis.pause()),
    dies: () => redis.kill(),
  }
  for (const [what, strike] of Object.entries(troubles)) {
    it(`each request is answered when it ${what}, and each gateway still replays its own`, async () => {
      const known = { key: freshKey() }
      await told(ask(one, known))
      const { promise, resolve } = Promise.withResolvers<void>()
      provider.next({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
      const under = { key: freshKey(), body: streamed }
      const streams = [ask(one, under), ask(other, under)].map(told)
      await provider.waitForRequest(1)
      await strike()
      const asked = [...Array(20).keys()].map(() => ({ key: freshKey() }))
      const answers = await Promise.all(asked.map((each) => told(ask(one, each))))
      expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200))
      const again = await Promise.all(asked.map((each) => told(ask(one, each))))
      expect(again.map(({ status }) => status)).toEqual(asked.map(() => 200))
      expect(again.filter(({ replayed }) => replayed)).toHaveLength(asked.length)
      expect((await told(ask(other, known))).status).toBe(200)
      resolve()
      const [led] = await Promise.all(streams)
      expect(led).toMatchObject({ status: 200 })
    }, 60_000)
  }

  it('is shared again once it is back', async () => {
    await redis.kill()
    expect((await told(ask(one, { key: freshKey() }))).status).toBe(200)
    await redis.start()
    await pollUntil(
      async () => {
        const asked = { key: freshKey() }
        const both = [await told(ask(one, asked)), await told(ask(other, asked))]
        expect(both.map(({ status }) => status)).toEqual([200, 200])
        return both[1]?.replayed === true
      },
      { timeoutMs: 30_000, intervalMs: 200, describe: () => 'it was never shared again' },
    )
  }, 60_000)
})
