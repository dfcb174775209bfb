import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { createRateLimiter, type DecisionEvent } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, type Rule, slidingWindow, tokenBucket } from './rules.ts'
import type { Store } from './store.ts'

const MINUTE = 60_000

function setUp(store?: Store) {
  const events: DecisionEvent[] = []
  let clock = 1_800_000_000_000
  const limiter = createRateLimiter({
    policies: {
      requests: tokenBucket({ limit: 10, windowMs: MINUTE }),
      logins: slidingWindow({ limit: 3, windowMs: MINUTE }),
      daily: fixedWindow({ limit: 100, windowMs: 86_400_000 }),
      streams: concurrency({ limit: 2, ttlMs: 1_000 }),
      tokens: budget({ limit: 1_000, windowMs: MINUTE }),
      trial: tokenBucket({ limit: 1, windowMs: MINUTE, shadow: true }),
      trialstreams: concurrency({ limit: 1, shadow: true }),
    },
    store,
    now: () => clock + 0.75,
    onDecision: (event) => events.push(event),
  })
  const wait = (ms: number) => {
    clock += ms
  }
  return { limiter, events, wait }
}

describe('check', () => {
  it('answers with the whole decision', async () => {
    const { limiter } = setUp()
    expect(await limiter.check('requests', 'ada', { cost: 4 })).toEqual({
      allowed: true,
      policy: 'requests',
      limit: 10,
      remaining: 6,
      retryAfterMs: 0,
      resetMs: 24_000,
      source: 'memory',
      shadow: false,
      rule: tokenBucket({ limit: 10, windowMs: MINUTE }),
    })
  })

  it('answers a denial as a value, with the time to wait', async () => {
    const { limiter, wait } = setUp()
    await limiter.check('requests', 'ada', { cost: 10 })
    expect(await limiter.check('requests', 'ada')).toMatchObject({
      allowed: false,
      retryAfterMs: 6_000,
    })
    wait(6_000)
    expect(limiter.checkSync('requests', 'ada')?.allowed).toBe(true)
  })

  it('rejects a cost that no waiting makes fit', async () => {
    const { limiter } = setUp()
    await expect(limiter.check('requests', 'ada', { cost: 11 })).rejects.toMatchObject({
      code: 'never_allowed',
      policy: 'requests',
      cost: 11,
      capacity: 10,
    })
    expect((await limiter.peek('requests', 'ada')).remaining).toBe(10)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'rejects a cost of %s',
    async (cost) => {
      await expect(setUp().limiter.check('requests', 'ada', { cost })).rejects.toMatchObject({
        code: 'invalid_request',
      })
    },
  )

  it('rejects an empty subject, an unknown policy, and slots that nobody would give back', async () => {
    const { limiter } = setUp()
    await expect(limiter.check('requests', '')).rejects.toThrow(/subject/)
    await expect(limiter.check('streams', 'ada')).rejects.toThrow(/use acquire/)
    await expect(limiter.check('request' as 'requests', 'ada')).rejects.toThrow(/Known: requests, /)
    expect(() => limiter.checkSync('requests', '')).toThrow(/subject/)
  })

  it('refuses a policy that no function has checked', () => {
    for (const rule of [undefined, null, { limit: 5, windowMs: 1_000 }, 'token-bucket']) {
      const policies = { requests: rule as unknown as Rule }
      expect(() => createRateLimiter({ policies })).toThrow(/"requests": make it with tokenBucket/)
    }
  })

  it('cannot answer at once when the store cannot', () => {
    const { decide } = memoryStore()
    expect(setUp({ decide }).limiter.checkSync('requests', 'ada')).toBeUndefined()
  })

  it('answers without a store that fails, and says so', async () => {
    const { limiter } = setUp({ decide: () => Promise.reject(new Error('store is down')) })
    expect(await limiter.check('requests', 'ada')).toMatchObject({
      ...{ allowed: true, remaining: 9, source: 'fallback-local' },
    })
  })
})

describe('checkAll', () => {
  it('names the policy that denies longest, and charges nothing', async () => {
    const { limiter } = setUp()
    await limiter.check('requests', 'ada', { cost: 10 })
    await limiter.check('logins', 'ada', { cost: 3 })
    const outcome = await limiter.checkAll('ada', ['requests', 'logins', 'daily'])
    expect(outcome).toMatchObject({ allowed: false, policy: 'logins', retryAfterMs: MINUTE })
    expect(outcome.decisions.map(({ allowed }) => allowed)).toEqual([false, false, true])
    expect((await limiter.peek('daily', 'ada')).remaining).toBe(100)
  })

  it('tells the tightest policy when all allow', async () => {
    const { limiter } = setUp()
    const requests = ['requests', { policy: 'tokens', cost: 900 }, 'daily'] as const
    const outcome = await limiter.checkAll('ada', requests)
    expect(outcome).toMatchObject({
      allowed: true,
      policy: 'tokens',
      remaining: 100,
      retryAfterMs: 0,
    })
  })

  it('asks each policy once, and at least one', async () => {
    const { limiter } = setUp()
    await expect(limiter.checkAll('ada', [])).rejects.toThrow(/at least one/)
    await expect(limiter.checkAll('ada', ['daily', 'daily'])).rejects.toThrow(/once/)
  })
})

describe('shadow policies', () => {
  it('report and never deny', async () => {
    const { limiter, events } = setUp()
    await limiter.checkAll('ada', ['requests', 'trial'])
    const outcome = await limiter.checkAll('ada', ['requests', 'trial'])
    expect(outcome).toMatchObject({ allowed: true, policy: 'requests', remaining: 8 })
    expect(events[1]?.outcome.decisions[1]).toMatchObject({ allowed: false, shadow: true })
  })

  it('allow when they are all that is asked, whatever the cost', async () => {
    const { limiter, events } = setUp()
    const decision = await limiter.check('trial', 'ada', { cost: 5 })
    expect(decision).toMatchObject({ allowed: true, retryAfterMs: 0, shadow: true })
    expect(events[0]?.outcome.decisions[0]).toMatchObject({
      allowed: false,
      retryAfterMs: Number.POSITIVE_INFINITY,
    })
  })

  it('admit without a slot when theirs are taken', async () => {
    const { limiter } = setUp()
    await limiter.acquire('ada', 'trialstreams')
    const { allowed, lease } = await limiter.acquire('ada', 'trialstreams')
    expect(allowed).toBe(true)
    expect(await lease?.renew()).toBe(false)
  })
})

describe('acquire', () => {
  it('takes requests, tokens and a slot as one', async () => {
    const { limiter } = setUp()
    const wanted = ['requests', { policy: 'tokens', cost: 600 }, 'streams'] as const
    const first = await limiter.acquire('ada', wanted)
    expect(first.allowed).toBe(true)
    expect(await limiter.acquire('ada', wanted)).toMatchObject({
      allowed: false,
      policy: 'tokens',
      lease: undefined,
    })
    expect((await limiter.peek('streams', 'ada')).remaining).toBe(1)
    expect(await first.lease?.settle(100)).toBe(true)
    expect(await first.lease?.settle(100)).toBe(false)
    expect((await limiter.acquire('ada', wanted)).allowed).toBe(true)
  })

  it('gives back what was never used, but not the request', async () => {
    const { limiter } = setUp()
    const { lease } = await limiter.acquire('ada', [
      'requests',
      { policy: 'tokens', cost: 600 },
      'streams',
    ])
    expect(await lease?.refund()).toBe(true)
    expect(await lease?.refund()).toBe(false)
    expect((await limiter.peek('tokens', 'ada')).remaining).toBe(1_000)
    expect((await limiter.peek('streams', 'ada')).remaining).toBe(2)
    expect((await limiter.peek('requests', 'ada')).remaining).toBe(9)
  })

  it('keeps the estimate charged when released, and frees the slot at the end of a block', async () => {
    const { limiter } = setUp()
    {
      await using held = (
        await limiter.acquire('ada', ['streams', { policy: 'tokens', cost: 600 }])
      ).lease
      expect(held?.id).toMatch(/^[0-9a-f-]{36}\.1$/)
    }
    expect((await limiter.peek('tokens', 'ada')).remaining).toBe(400)
    expect((await limiter.peek('streams', 'ada')).remaining).toBe(2)
  })

  it('lives on by its heartbeat, and tells when it lapsed', async () => {
    const { limiter, wait } = setUp()
    const { lease } = await limiter.acquire('ada', 'streams')
    for (let beats = 0; beats < 5; beats += 1) {
      wait(999)
      expect(await lease?.renew()).toBe(true)
    }
    wait(1_000)
    expect(await lease?.renew()).toBe(false)
    expect((await limiter.peek('streams', 'ada')).remaining).toBe(2)
  })

  it('renews what an id holds already', async () => {
    const { limiter } = setUp()
    for (let times = 0; times < 5; times += 1) {
      const { allowed } = await limiter.acquire('ada', 'streams', { id: 'session-1' })
      expect(allowed).toBe(true)
    }
    expect((await limiter.peek('streams', 'ada')).remaining).toBe(1)
    await expect(limiter.acquire('ada', 'streams', { id: '' })).rejects.toThrow(/id/)
    await expect(limiter.acquire('ada', 'streams', { id: 5 as unknown as string })).rejects.toThrow(
      'An id is text',
    )
  })

  it('settles the named budget only, and only with a count', async () => {
    const { limiter } = setUp()
    const { lease } = await limiter.acquire('ada', ['streams', 'tokens'])
    await expect(lease?.settle(1, 'streams')).rejects.toThrow(/reserved policies \(tokens\)/)
    await expect(lease?.settle(0.5)).rejects.toThrow(/whole number/)
    expect(await lease?.settle(3, 'tokens')).toBe(true)
    expect((await limiter.peek('tokens', 'ada')).remaining).toBe(997)
  })
})

describe('penalty, block and reset', () => {
  it('owe, deny and forgive', async () => {
    const { limiter } = setUp()
    expect(await limiter.penalty('requests', 'ada', 12)).toMatchObject({
      allowed: false,
      remaining: 0,
      retryAfterMs: 18_000,
    })
    expect(await limiter.block('requests', 'ada', MINUTE)).toMatchObject({ retryAfterMs: MINUTE })
    expect(await limiter.check('requests', 'ada')).toMatchObject({ allowed: false })
    expect(await limiter.reset('requests', 'ada')).toMatchObject({ allowed: true, remaining: 10 })
    await expect(limiter.penalty('streams', 'ada', 1)).rejects.toThrow(/slots/)
    await expect(limiter.block('requests', 'ada', -1)).rejects.toThrow(/whole number/)
  })
})

describe('onDecision', () => {
  it('is told who and what', async () => {
    const { limiter, events } = setUp()
    await limiter.check('requests', 'ada')
    await limiter.peek('requests', 'ada')
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      subject: 'ada',
      outcome: { policy: 'requests', remaining: 9 },
    })
  })

  it('cannot undo a decision by failing', async () => {
    const limiter = createRateLimiter({
      policies: { p: tokenBucket({ limit: 1, windowMs: 1 }) },
      onDecision: () => {
        throw new Error('observer')
      },
    })
    expect((await limiter.check('p', 'ada')).allowed).toBe(true)
  })
})

describe('createRateLimiter', () => {
  it.each(['', 'Upper', 'with space', '{a}', 'a:b', 'x'.repeat(65)])(
    'refuses the name "%s"',
    (name) => {
      const policies = { [name]: tokenBucket({ limit: 1, windowMs: 1 }) }
      expect(() => createRateLimiter({ policies })).toThrow(/lower-case/)
    },
  )
})
