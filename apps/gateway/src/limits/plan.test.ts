import { budget, concurrency, slidingWindow, tokenBucket } from '@tidegate/rate-limit'
import { describe, expect, it } from 'vitest'
import { anonymous, type Identity } from '../auth/identity.ts'
import type { LimitSettings, TierSettings } from '../config/settings.ts'
import { asksOf, LimitPlan } from './plan.ts'
import { policiesOf } from './policies.ts'

const bucket = tokenBucket({ limit: 10, windowMs: 1000 })
const limits: readonly LimitSettings[] = [
  { name: 'per-user', by: 'user', rule: bucket },
  { name: 'per-ip', by: 'ip', rule: bucket },
  { name: 'per-key', by: 'key', rule: slidingWindow({ limit: 10, windowMs: 1000 }) },
  { name: 'planned', by: 'ip', rule: tokenBucket({ limit: 1, windowMs: 1000, shadow: true }) },
]
const tiers: readonly TierSettings[] = [
  {
    name: 'free',
    requests: bucket,
    tokens: budget({ limit: 400, windowMs: 1000 }),
    concurrent: concurrency({ limit: 5 }),
  },
  { name: 'default', requests: bucket, tokens: undefined, concurrent: undefined },
  { name: 'staff', requests: undefined, tokens: undefined, concurrent: undefined },
]
const all = ['per-user', 'per-ip', 'per-key', 'tier']
const key: Identity = { kind: 'key', id: 'ada' }
const token: Identity = { kind: 'jwt', id: 'ada', user: 'ada@example' }

function asked(names: readonly string[], who: Identity, tokens?: number, ip = '192.0.2.1') {
  const quota = new LimitPlan(names, limits, tiers).quotaFor(who)
  return quota === undefined ? undefined : asksOf(quota, who, ip, tokens)
}

describe('LimitPlan', () => {
  it('asks of the address first, then of the key, then of the user', () => {
    expect(asked(all, { ...token, tier: 'free' }, 50)).toEqual([
      { subject: 'ip:192.0.2.1', requests: ['per-ip'] },
      { subject: 'jwt:ada', requests: ['per-key'] },
      {
        subject: 'user:ada@example',
        requests: [
          ...['per-user', 'free.requests', 'free.concurrent'],
          { policy: 'free.tokens', cost: 50 },
        ],
      },
    ])
  })

  it('counts who has no user by key, and who has no key by address, all in one step', () => {
    expect(asked(all, { ...key, tier: 'staff' })).toEqual([
      { subject: 'ip:192.0.2.1', requests: ['per-ip'] },
      { subject: 'key:ada', requests: ['per-key', 'per-user'] },
    ])
    expect(asked(all, anonymous)).toEqual([
      {
        subject: 'ip:192.0.2.1',
        requests: ['per-ip', 'per-key', 'per-user', 'default.requests'],
      },
    ])
  })

  it('tells a key from a token of the same name', () => {
    expect(asked(['per-key'], key)?.[0]?.subject).not.toBe(asked(['per-key'], token)?.[0]?.subject)
  })

  it('gives the default tier to who has none, or one that is not there', () => {
    const inDefault = [{ subject: 'key:ada', requests: ['default.requests'] }]
    expect(asked(['tier'], key)).toEqual(inDefault)
    expect(asked(['tier'], { ...key, tier: 'gold' })).toEqual(inDefault)
    expect(asked(['tier'], { ...key, tier: 'staff' })).toBeUndefined()
  })

  it('limits nobody where there is nothing to be held against', () => {
    expect(new LimitPlan([], limits, tiers).isEmpty).toBe(true)
    expect(new LimitPlan(['tier'], limits, []).isEmpty).toBe(true)
    expect(new LimitPlan(['tier'], limits, tiers.slice(0, 1)).quotaFor(key)).toBeUndefined()
  })

  it('knows when there is but one policy to ask, and when something is held', () => {
    const quotaOf = (names: readonly string[], who: Identity) =>
      new LimitPlan(names, limits, tiers).quotaFor(who)
    expect(quotaOf(['per-ip'], key)).toMatchObject({ alone: 'per-ip', holds: false })
    expect(quotaOf(['tier'], key)).toMatchObject({ alone: 'default.requests', holds: false })
    expect(quotaOf(['planned'], key)?.alone).toBeUndefined()
    expect(quotaOf(['per-ip', 'tier'], key)?.alone).toBeUndefined()
    expect(quotaOf(['tier'], { ...key, tier: 'free' })).toMatchObject({ holds: true })
    expect(quotaOf(['tier'], { ...key, tier: 'free' })?.alone).toBeUndefined()
  })
})

describe('policiesOf', () => {
  it('names each limit, and each of a tier by both their names', () => {
    expect(Object.keys(policiesOf(limits, tiers))).toEqual([
      ...['per-user', 'per-ip', 'per-key', 'planned'],
      ...['free.requests', 'free.tokens', 'free.concurrent', 'default.requests'],
    ])
  })
})
