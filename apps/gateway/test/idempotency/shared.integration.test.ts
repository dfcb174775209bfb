import {
  type Provider,
  type RedisServer,
  type RunningGateway,
  startProvider,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, freshKey, keyedGateway, question, refusal, streamed, told } from './keyed-gateway.ts'

let provider: Provider
let redis: RedisServer
let one: RunningGateway
let other: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  redis = await startRedis()
  const both = [1, 2].map(() => keyedGateway(provider, { redis: { url: redis.url } }))
  ;[one, other] = (await Promise.all(both)) as [RunningGateway, RunningGateway]
})
afterEach(() => provider.reset())
afterAll(async () => {
  await Promise.all([one, other].map((gateway) => gateway?.[Symbol.asyncDispose]()))
  await redis?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

describe('two gateways at one Redis', () => {
  it('replay what the other has answered', async () => {
    for (const body of [question, streamed]) {
      const asked = { key: freshKey(), body }
      const first = await told(ask(one, asked))
      provider.always({ text: 'another answer' })
      for (const gateway of [other, one, other]) {
        const again = await told(ask(gateway, asked))
        const { status, type, body } = first
        expect(again).toMatchObject({ status, type, body, replayed: true })
      }
      provider.always({})
    }
    expect(provider.hits).toBe(2)
  })

  it('replay a large answer', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024, 'tide ')
    provider.always({ body })
    const asked = { path: '/service/large', key: freshKey() }
    const first = await told(ask(one, asked))
    const again = await told(ask(other, asked))
    expect(again.replayed).toBe(true)
    expect([again.body.length, again.body === first.body]).toEqual([body.length, true])
    expect(provider.hits).toBe(1)
  })

  it('have a repeat wait for the answer that the other is getting, and pass it on live', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const asked = { key: freshKey(), body: streamed }
    const first = await ask(one, asked)
    const second = await ask(other, asked)
    const live = second.clone().body?.getReader()
    const begun = await live?.read()
    expect(Buffer.from(begun?.value ?? '').toString()).toContain('data:')
    resolve()
    expect(await second.text()).toBe(await first.text())
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(provider.hits).toBe(1)
  })

  it('carry a request out once when it comes to both at the same time', async () => {
    provider.always({ delayMs: 50 })
    for (let turn = 0; turn < 10; turn += 1) {
      provider.reset()
      provider.always({ delayMs: 20 })
      const asked = { key: freshKey(), body: turn % 2 === 0 ? question : streamed }
      const all = await Promise.all(
        [one, other, one, other].map((gateway) => told(ask(gateway, asked))),
      )
      expect(new Set(all.map(({ body }) => body)).size).toBe(1)
      expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(provider.hits).toBe(1)
    }
  })

  it('refuse a key that came to the other with another request', async () => {
    const key = freshKey()
    await told(ask(one, { key }))
    const reused = ask(other, { key, body: streamed })
    expect(await refusal(reused)).toEqual([422, 'idempotency_key_reused'])
  })

  it('tell the callers of both apart', async () => {
    const key = freshKey()
    await told(ask(one, { key, as: 'ada' }))
    expect(await told(ask(other, { key, as: 'bob' }))).toMatchObject({ replayed: false })
    expect(await told(ask(other, { key, as: 'ada' }))).toMatchObject({ replayed: true })
    expect(provider.hits).toBe(2)
  })

  it('let go of an answer that settles nothing in both', async () => {
    const asked = { key: freshKey() }
    provider.next({ status: 429 }, { status: 503 })
    expect(await told(ask(one, asked))).toMatchObject({ status: 429 })
    expect(await told(ask(other, asked))).toMatchObject({ status: 503, replayed: false })
    expect(await told(ask(one, asked))).toMatchObject({ status: 200, replayed: false })
    expect(await told(ask(other, asked))).toMatchObject({ status: 200, replayed: true })
  })

  it('let a client that has left one find its answer at the other', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => promise })
    const leaving = new AbortController()
    const asked = { key: freshKey() }
    const left = ask(one, { ...asked, signal: leaving.signal })
    await provider.waitForRequest()
    leaving.abort()
    await expect(left).rejects.toThrow()
    const again = told(ask(other, asked))
    resolve()
    expect(await again).toMatchObject({ status: 200, replayed: true })
    expect(provider.hits).toBe(1)
  })
})

describe('two gateways on a Cluster', () => {
  it('carry a request out once, and replay what the other has answered', async () => {
    await using cluster = await startRedisCluster()
    const nodes = { cluster: cluster.addresses.map(({ host, port }) => `${host}:${port}`) }
    await using first = await keyedGateway(provider, { redis: nodes })
    await using second = await keyedGateway(provider, { redis: nodes })
    provider.always({ delayMs: 20 })
    const asked = [...Array(12).keys()].map((number) => ({
      ...{ key: freshKey(), body: number % 2 === 0 ? question : streamed },
    }))
    for (const each of asked) {
      const both = await Promise.all([first, second].map((gateway) => told(ask(gateway, each))))
      const again = await told(ask(first, each))
      expect(new Set([...both, again].map(({ body }) => body)).size).toBe(1)
      expect([both.filter(({ replayed }) => replayed).length, again.replayed]).toEqual([1, true])
    }
    expect(provider.hits).toBe(asked.length)
  }, 60_000)
})
