import { type Provider, pollUntil, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminKey, CHAT, cachingGateway, chat, keyOf } from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider({ always: { usage: { input: 100, output: 300 } } })
})
afterAll(() => provider[Symbol.asyncDispose]())

/** What is left of 10,000 tokens after an answer of 400 and two from the cache. */
async function leftAfterHits(hitCost: string): Promise<number> {
  await using gateway = await cachingGateway(provider, {
    route: { cache: { ttl: '1h', hitCost }, limits: ['tier'] },
    more: {
      tiers: { some: { tokens: '10000/1d' } },
      auth: { keys: [{ id: 'ada', key: keyOf('ada'), tier: 'some' }] },
    },
  })
  const settled = async (count: number): Promise<void> => {
    // A request's line is written when what it used is settled.
    const lines = (): number => gateway.lines.filter(({ message }) => message === 'request').length
    await pollUntil(async () => lines() >= count, { describe: () => `${lines()} lines` })
  }
  const body = chat({ max_tokens: 400 })
  const how: (string | null)[] = []
  for (let i = 1; i <= 3; i += 1) {
    how.push((await gateway.ask(CHAT, { body })).cache)
    await settled(i)
  }
  expect(how).toEqual(['miss', 'hit', 'hit'])
  const stats = await gateway.ask('/cache/stats', { as: '', headers: { 'x-admin-key': adminKey } })
  expect(stats.json.tokens_saved).toBe(800)
  const last = await gateway.ask(CHAT, { body })
  return Number(last.headers.get('x-ratelimit-remaining-tokens'))
}

describe('an answer from the cache', () => {
  it('costs no tokens, or the share that the route says', async () => {
    const [free, tenth] = [await leftAfterHits('0%'), await leftAfterHits('10%')]
    expect(free).toBeGreaterThan(8_000)
    // Two hits of 400 tokens each; what flows back in a moment is less than one.
    expect(Math.abs(free - tenth - 80)).toBeLessThanOrEqual(1)
  })
})
