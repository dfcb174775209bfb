import { describe, expect, it } from 'vitest'
import { type HeaderOptions, rateLimitHeaders } from './headers.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'

const START = 1_800_000_000_000
const MINUTE = 60_000

function setUp() {
  let clock = START
  const limiter = createRateLimiter({
    policies: {
      burst: tokenBucket({ limit: 100, windowMs: MINUTE, burst: 10 }),
      daily: fixedWindow({ limit: 1_000, windowMs: 86_400_000 }),
      logins: slidingWindow({ limit: 3, windowMs: 1_500 }),
      streams: concurrency({ limit: 2, ttlMs: 30_000 }),
      tokens: budget({ limit: 40_000, windowMs: MINUTE }),
      trial: tokenBucket({ limit: 1, windowMs: MINUTE, shadow: true }),
    },
    now: () => clock,
  })
  const wait = (ms: number) => {
    clock += ms
  }
  return { limiter, wait }
}

const all: HeaderOptions = {
  forms: ['draft', 'legacy', 'openai', 'retry-after', 'retry-after-ms'],
  now: () => START + 1,
}

describe('rateLimitHeaders', () => {
  it('tells several policies in one list, and what they count', async () => {
    const { limiter } = setUp()
    const tokens = { policy: 'tokens', cost: 4_000 } as const
    const admission = await limiter.acquire('ada', ['burst', 'daily', tokens, 'streams'])
    expect(rateLimitHeaders(admission)).toEqual({
      'ratelimit-policy':
        '"burst";q=100;w=60, "daily";q=1000;w=86400, "tokens";q=40000;tidegate-unit="tokens";w=60, "streams";q=2;qu="concurrent-requests"',
      ratelimit: '"burst";r=9;t=1, "daily";r=999;t=57600, "tokens";r=36000;t=1, "streams";r=1',
    })
  })

  it('has every form of a denial', async () => {
    const { limiter, wait } = setUp()
    await limiter.check('tokens', 'ada', { cost: 40_000 })
    wait(250)
    const requests = ['burst', { policy: 'tokens', cost: 10_000 }] as const
    const headers = rateLimitHeaders(await limiter.checkAll('ada', requests), all)
    expect(headers).toEqual({
      'ratelimit-policy': '"burst";q=100;w=60, "tokens";q=40000;tidegate-unit="tokens";w=60',
      ratelimit: '"burst";r=10;t=1, "tokens";r=166;t=1',
      'x-ratelimit-limit': '40000',
      'x-ratelimit-remaining': '166',
      'x-ratelimit-reset': `${START / 1000 + 60}`,
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '10',
      'x-ratelimit-reset-requests': '0s',
      'x-ratelimit-limit-tokens': '40000',
      'x-ratelimit-remaining-tokens': '166',
      'x-ratelimit-reset-tokens': '59.75s',
      'retry-after': '15',
      'retry-after-ms': '14750',
    })
  })

  it('makes the forms that are asked for, and refuses others', async () => {
    const outcome = await setUp().limiter.check('burst', 'ada')
    expect(Object.keys(rateLimitHeaders(outcome, { forms: ['legacy'] }))).toEqual([
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
    ])
    expect(rateLimitHeaders(outcome, { forms: [] })).toEqual({})
    const forms = ['standard'] as unknown as HeaderOptions['forms']
    expect(() => rateLimitHeaders(outcome, { forms })).toThrow(/"standard". Known: draft, legacy, /)
  })

  it('counts in the units that are given', async () => {
    const outcome = await setUp().limiter.checkAll('ada', ['burst', 'daily'])
    const units = { burst: 'tokens', daily: 'content-bytes' } as const
    const headers = rateLimitHeaders(outcome, { forms: ['draft', 'openai'], units })
    expect(headers['ratelimit-policy']).toBe(
      '"burst";q=100;tidegate-unit="tokens";w=60, "daily";q=1000;qu="content-bytes";w=86400',
    )
    expect(headers['x-ratelimit-limit-tokens']).toBe('100')
    expect(headers).not.toHaveProperty('x-ratelimit-limit-requests')
  })

  it('refuses units that there are not', async () => {
    const outcome = await setUp().limiter.checkAll('ada', ['burst'])
    const units = { burst: 'euros' } as unknown as HeaderOptions['units']
    expect(() => rateLimitHeaders(outcome, { units })).toThrow(/"burst" counts no "euros". Known: /)
  })

  it('tells the decisions of several subjects together', async () => {
    const { limiter } = setUp()
    const told = [await limiter.check('daily', '192.0.2.1'), await limiter.check('burst', 'ada')]
    expect(rateLimitHeaders(told).ratelimit).toBe('"daily";r=999;t=57600, "burst";r=9;t=1')
    expect(rateLimitHeaders([])).toEqual({})
  })

  it('keeps shadow policies to itself', async () => {
    const { limiter } = setUp()
    await limiter.check('trial', 'ada')
    const outcome = await limiter.checkAll('ada', ['burst', 'trial'])
    expect(rateLimitHeaders(outcome, all).ratelimit).toBe('"burst";r=9;t=1')
    expect(rateLimitHeaders(await limiter.check('trial', 'ada'), all)).toEqual({})
  })

  it('knows until when a block lasts', async () => {
    const { limiter } = setUp()
    await limiter.block('burst', 'ada', 90_001)
    expect(rateLimitHeaders(await limiter.check('burst', 'ada'))).toMatchObject({
      ratelimit: '"burst";r=0;t=91',
      'retry-after': '91',
      'retry-after-ms': '90001',
    })
  })

  it('rounds a window up to whole seconds', async () => {
    const { limiter } = setUp()
    const headers = rateLimitHeaders(await limiter.check('logins', 'ada'))
    expect(headers).toEqual({
      'ratelimit-policy': '"logins";q=3;w=2',
      ratelimit: '"logins";r=2;t=2',
    })
  })

  it('asks nobody to come back when waiting does not help', async () => {
    const decision = await setUp().limiter.check('burst', 'ada')
    const never = { ...decision, allowed: false, retryAfterMs: Number.POSITIVE_INFINITY }
    expect(Object.keys(rateLimitHeaders(never))).toEqual(['ratelimit-policy', 'ratelimit'])
  })
})
