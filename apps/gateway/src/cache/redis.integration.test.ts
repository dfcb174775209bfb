import {
  type Provider,
  pollUntil,
  type RedisServer,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  adminKey,
  type CachingGateway,
  type CachingOptions,
  CHAT,
  cachingGateway,
  chat,
} from './caching-gateway.fixture.ts'

let redis: RedisServer
let provider: Provider
let open: CachingGateway[] = []
const clock = { now: Date.now() }

beforeAll(async () => {
  redis = await startRedis({ own: true })
  provider = await startProvider()
})
beforeEach(async () => {
  provider.reset()
  clock.now = Date.now()
  await redis.command('FLUSHALL')
})
afterEach(async () => {
  await Promise.all(open.map((gateway) => gateway[Symbol.asyncDispose]()))
  open = []
  redis.resume()
  await redis.start()
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

async function gateways(count: number, options: CachingOptions = {}): Promise<CachingGateway[]> {
  const own = { redis: redis.url, clock, ...options }
  const made = await Promise.all(Array.from({ length: count }, () => cachingGateway(provider, own)))
  open.push(...made)
  await acquainted(made)
  return made
}

/** Waits until what one keeps is believed by all: until it hears the others' messages a gateway doubts more. */
async function acquainted(all: readonly CachingGateway[]): Promise<void> {
  let n = 0
  await pollUntil(
    async () => {
      n += 1
      const asking = { body: { model: 'tide-0', input: `${n}` }, as: 'bob' }
      for (const gateway of all) {
        await all[0]?.ask('/v1/embeddings', asking)
        if ((await gateway.ask('/v1/embeddings', asking)).cache !== 'hit') return false
      }
      return true
    },
    { describe: () => 'they do not share' },
  )
  provider.reset()
}

/** Waits until Redis has so many answers. */
async function stored(count: number): Promise<void> {
  let found: unknown
  await pollUntil(
    async () => {
      const reply = await redis.command('KEYS', '*:v:answers:answers:*tide-1*')
      found = Array.isArray(reply) ? reply.length : reply
      return found === count
    },
    { describe: () => `Redis has ${String(found)} answers` },
  )
}

const purge = (gateway: CachingGateway | undefined, query: string) =>
  gateway?.ask(`/cache?${query}`, {
    method: 'DELETE',
    as: '',
    headers: { 'x-admin-key': adminKey },
  })

describe('two gateways on one Redis', () => {
  it.each([false, true])('have each other’s answers, stream: %s', async (stream) => {
    const [one, other] = await gateways(2)
    const first = await one?.ask(CHAT, { body: chat({ stream }) })
    await stored(1)
    clock.now += 5_000
    const second = await other?.ask(CHAT, { body: chat({ stream }) })
    expect(second).toMatchObject({ cache: 'hit', text: first?.text })
    expect(second?.headers.get('age')).toBe('5')
    expect(await other?.ask(CHAT, { body: chat({ stream }), as: 'bob' })).toMatchObject({
      cache: 'miss',
    })
    expect(provider.hits).toBe(2)
  })

  it('keep no answer that the other was told to throw away', async () => {
    const [one, other] = await gateways(2)
    await one?.ask(CHAT, { body: chat() })
    await stored(1)
    expect((await other?.ask(CHAT, { body: chat() }))?.cache).toBe('hit')
    for (const query of ['user=key:ada', 'tag=model:tide-1', 'prefix=/v1/chat', 'all=true']) {
      expect((await purge(other, query))?.json.removed).toBeGreaterThan(0)
      // What was in its memory goes as soon as the message is there.
      const after = await one?.askUntil(CHAT, { body: chat() }, ({ cache }) => cache === 'miss')
      expect(after?.status).toBe(200)
      // One that was made too soon to have heard of it is not believed.
      await other?.askUntil(CHAT, { body: chat() }, ({ cache }) => cache === 'hit')
      await stored(1)
    }
  })

  it('share a call that is under way where they are set to', async () => {
    const [one, other] = await gateways(2, { route: { cache: '1m', coalesce: 'cluster' } })
    const go = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? go.promise : undefined) })
    const first = one?.ask(CHAT, { body: chat({ stream: true }) })
    await provider.waitForRequest()
    const second = other?.ask(CHAT, { body: chat({ stream: true }) })
    const stats = () => other?.ask('/cache/stats', { as: '', headers: { 'x-admin-key': adminKey } })
    await pollUntil(async () => Number((await stats())?.json.coalesced) === 1, {
      describe: () => 'it did not join',
    })
    go.resolve()
    expect((await second)?.cache).toBe('coalesced')
    expect((await second)?.text).toBe((await first)?.text)
    expect(provider.hits).toBe(1)
  })

  it('go on alone while Redis hangs, is killed, and is back', async () => {
    const [one] = await gateways(1)
    await one?.ask(CHAT, { body: chat() })
    await stored(1)
    redis.pause()
    expect((await one?.ask(CHAT, { body: chat() }))?.cache).toBe('hit')
    const during = await one?.ask(CHAT, { body: chat({ n: 2 }) })
    expect(during).toMatchObject({ status: 200, cache: 'miss' })
    expect((await one?.ask(CHAT, { body: chat({ n: 2 }) }))?.status).toBe(200)
    redis.resume()
    await redis.stop()
    for (let n = 3; n < 8; n += 1) {
      expect((await one?.ask(CHAT, { body: chat({ n }) }))?.status).toBe(200)
      expect((await one?.ask(CHAT, { body: chat({ n }) }))?.cache).toBe('hit')
    }
    await redis.start()
    expect((await one?.ask(CHAT, { body: chat({ n: 9 }) }))?.status).toBe(200)
  }, 120_000)
})

describe('a gateway that starts', () => {
  it('fetches what was popular and is gone, within its budget, and for nobody’s money', async () => {
    const warm = { atStart: true, entries: 10, budget: '2/1h' }
    const more = { cache: { warm } }
    const [one] = await gateways(1, { more })
    for (let n = 1; n <= 3; n += 1) {
      for (let i = 0; i < 200; i += 1) await one?.ask(CHAT, { body: chat({ n }) })
    }
    expect(provider.hits).toBe(3)
    await one?.[Symbol.asyncDispose]()
    open = []
    clock.now += 61_000
    const other = await cachingGateway(provider, { redis: redis.url, clock, more })
    open.push(other)
    const asAdmin = { as: '', headers: { 'x-admin-key': adminKey } }
    const report = await other.askUntil('/cache/warm', asAdmin, ({ json }) => {
      return (json.last as { fetched?: number } | null)?.fetched === 2
    })
    expect(report.json).toMatchObject({ last: { failed: 0, out_of_budget: true }, budget_left: 0 })
    expect(provider.hits).toBe(5)
    const how = await Promise.all(
      [1, 2, 3].map(async (n) => (await other.ask(CHAT, { body: chat({ n }) })).cache),
    )
    expect(how.sort()).toEqual(['hit', 'hit', 'miss'])
  }, 120_000)
})
