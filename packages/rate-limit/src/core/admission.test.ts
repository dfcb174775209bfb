import { describe, expect, it } from 'vitest'
import { InvalidRequestError } from './errors.ts'
import { memoryStore } from './memory-store.ts'
import { createRateLimiter, type DecisionEvent } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'
import type { Store } from './store.ts'

const MINUTE = 60_000

function setUp(store: Store = memoryStore()) {
  const events: DecisionEvent[] = []
  let clock = 1_800_000_000_000
  const limiter = createRateLimiter({
    policies: {
      rate: tokenBucket({ limit: 10, windowMs: MINUTE }),
      sliding: slidingWindow({ limit: 10, windowMs: MINUTE }),
      fixed: fixedWindow({ limit: 10, windowMs: MINUTE }),
      tokens: budget({ limit: 1_000, windowMs: MINUTE }),
      streams: concurrency({ limit: 2, ttlMs: MINUTE }),
      trial: tokenBucket({ limit: 1, windowMs: MINUTE, shadow: true }),
    },
    store,
    now: () => clock,
    onDecision: (event) => events.push(event),
  })
  const left = async (policy: 'rate' | 'sliding' | 'fixed' | 'tokens' | 'streams', of: string) =>
    (await limiter.peek(policy, of)).remaining
  const wait = (ms: number) => {
    clock += ms
  }
  return { limiter, events, left, wait }
}

const everything = ['rate', 'sliding', 'fixed', { policy: 'tokens', cost: 400 }, 'streams'] as const

describe('acquireAll', () => {
  it('charges every subject, and tells of all policies', async () => {
    const { limiter, events, left } = setUp()
    const admission = await limiter.acquireAll([
      { subject: 'ip', requests: 'rate' },
      { subject: 'ada', requests: everything },
    ])
    expect(admission).toMatchObject({ allowed: true, policy: 'streams', remaining: 1 })
    expect(admission.decisions.map(({ policy }) => policy)).toEqual([
      'rate',
      ...['rate', 'sliding', 'fixed', 'tokens', 'streams'],
    ])
    expect(events.map(({ subject }) => subject)).toEqual(['ip', 'ada'])
    expect([await left('rate', 'ip'), await left('rate', 'ada')]).toEqual([9, 9])
  })

  it('leaves nothing charged of any kind when a later subject denies', async () => {
    const { limiter, left } = setUp()
    await limiter.check('rate', 'ada', { cost: 10 })
    const admission = await limiter.acquireAll([
      { subject: 'ip', requests: everything },
      { subject: 'ada', requests: 'rate' },
      { subject: 'never asked', requests: 'rate' },
    ])
    expect(admission).toMatchObject({
      ...{ allowed: false, policy: 'rate', retryAfterMs: 6_000, lease: undefined },
    })
    expect(admission.decisions.map(({ remaining }) => remaining)).toEqual([10, 10, 10, 1_000, 2, 0])
    for (const policy of ['rate', 'sliding', 'fixed'] as const) {
      expect(await left(policy, 'ip')).toBe(10)
    }
    expect([await left('tokens', 'ip'), await left('streams', 'ip')]).toEqual([1_000, 2])
    expect(await left('rate', 'never asked')).toBe(10)
  })

  it('keeps what its id held before, when a later subject denies', async () => {
    const { limiter, left, wait } = setUp()
    const held = ['streams', { policy: 'tokens', cost: 400 }] as const
    const { lease } = await limiter.acquire('ip', held, { id: 'call' })
    await limiter.check('rate', 'ada', { cost: 10 })
    wait(1)
    const asks = [
      { subject: 'ip', requests: [...held, 'rate'] },
      { subject: 'ada', requests: 'rate' },
    ] as const
    expect((await limiter.acquireAll(asks, { id: 'call' })).allowed).toBe(false)
    expect([await left('streams', 'ip'), await left('rate', 'ip')]).toEqual([1, 10])
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.settle(0)).toBe(true)
  })

  it('gives a lease over all that is held of all subjects', async () => {
    const { limiter, left } = setUp()
    const { lease } = await limiter.acquireAll([
      { subject: 'team', requests: [{ policy: 'tokens', cost: 500 }, 'streams'] },
      { subject: 'ada', requests: [{ policy: 'tokens', cost: 300 }, 'streams'] },
    ])
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.settle(100)).toBe(true)
    expect(await lease?.settle(100)).toBe(false)
    expect([await left('tokens', 'team'), await left('tokens', 'ada')]).toEqual([900, 900])
    expect(await lease?.release()).toBe(true)
    expect([await left('streams', 'team'), await left('streams', 'ada')]).toEqual([2, 2])
    expect(await lease?.renew()).toBe(false)
  })

  it('frees the slots of what still has to be settled', async () => {
    const { limiter, left } = setUp()
    const { lease } = await limiter.acquireAll([
      { subject: 'team', requests: [{ policy: 'tokens', cost: 500 }, 'streams'] },
      { subject: 'ada', requests: { policy: 'tokens', cost: 300 } },
    ])
    expect(await lease?.free()).toBe(true)
    expect(await lease?.free()).toBe(false)
    expect([await left('streams', 'team'), await left('tokens', 'team')]).toEqual([2, 500])
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.settle(100)).toBe(true)
    expect([await left('tokens', 'team'), await left('tokens', 'ada')]).toEqual([900, 900])
    expect(await lease?.release()).toBe(false)
  })

  it('refunds all that never took place', async () => {
    const { limiter, left } = setUp()
    const { lease } = await limiter.acquireAll([
      { subject: 'team', requests: [{ policy: 'tokens', cost: 500 }, 'streams'] },
      { subject: 'ada', requests: { policy: 'tokens', cost: 300 } },
    ])
    expect(await lease?.refund()).toBe(true)
    expect([await left('tokens', 'team'), await left('tokens', 'ada')]).toEqual([1_000, 1_000])
    expect(await left('streams', 'team')).toBe(2)
  })

  it('goes on past shadow policies, whatever they say', async () => {
    const { limiter } = setUp()
    const asks = [
      { subject: 'ip', requests: 'trial' },
      { subject: 'ada', requests: 'rate' },
    ] as const
    await limiter.acquireAll(asks)
    expect(await limiter.acquireAll(asks)).toMatchObject({ allowed: true, policy: 'rate' })
  })

  it('charges nobody when something is asked wrongly', async () => {
    const { limiter, left } = setUp()
    const first = { subject: 'ip', requests: 'rate' } as const
    const wrong = [
      { subject: '', requests: 'rate' },
      { subject: 'ada', requests: { policy: 'rate', cost: 11 } },
      { subject: 'ada', requests: [] },
      { subject: 'ip', requests: 'sliding' },
    ] as const
    for (const ask of wrong) await expect(limiter.acquireAll([first, ask])).rejects.toThrow()
    await expect(limiter.acquireAll([])).rejects.toThrow(/at least one subject/)
    expect(await left('rate', 'ip')).toBe(10)
  })

  it('gives back what was granted when the store refuses the next subject', async () => {
    const memory = memoryStore()
    const { limiter, left } = setUp({
      decide: (subject, requests, now) => {
        if (subject === 'odd') throw new InvalidRequestError('not this one')
        return memory.decide(subject, requests, now)
      },
    })
    const asks = ['ip', 'odd'].map((subject) => ({ subject, requests: 'rate' }) as const)
    await expect(limiter.acquireAll(asks)).rejects.toThrow('not this one')
    expect(await left('rate', 'ip')).toBe(10)
  })
})

describe('close', () => {
  it('closes a store that can be closed', async () => {
    let closed = 0
    const store = {
      ...memoryStore(),
      async close() {
        closed += 1
      },
    }
    await setUp(store).limiter.close()
    await setUp().limiter.close()
    expect(closed).toBe(1)
  })
})
