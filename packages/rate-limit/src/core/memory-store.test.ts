import { describe, expect, it } from 'vitest'
import { storeConformance } from '../testing/conformance.ts'
import { memoryStore } from './memory-store.ts'
import { budget, concurrency, tokenBucket } from './rules.ts'
import type { StoreAction } from './store.ts'

function harness() {
  let clock = 1_800_000_000_123
  return {
    store: memoryStore(),
    exact: true,
    now: () => clock,
    advance: (ms: number) => {
      clock += ms
    },
  }
}

describe('memoryStore conforms', () => {
  for (const { name, run } of storeConformance) it(name, () => run(harness))
})

describe('memoryStore', () => {
  const limit = { policy: 'p', rule: tokenBucket({ limit: 10, windowMs: 10_000 }) }
  const ask = (action: StoreAction, amount: number) => [{ limit, action, amount }]

  it('keeps at most maxKeys however many subjects come', () => {
    const store = memoryStore({ maxKeys: 5_000 })
    let most = 0
    for (let n = 0; n < 200_000; n += 1) {
      store.decide(`subject-${n}`, ask('take', 1), 1_000_000 + Math.floor(n / 10_000))
      if (n % 1_000 === 0) most = Math.max(most, store.size)
    }
    expect(most).toBeLessThanOrEqual(5_000)
    expect(store.size).toBeLessThanOrEqual(5_000)
  })

  it('may be taken apart', () => {
    const store = memoryStore()
    const { decide, decideSync } = { ...store }
    decide('s', ask('take', 4), 1_000)
    expect(decideSync('s', ask('take', 4), 1_000)[0]).toMatchObject({ allowed: true, remaining: 2 })
    expect(store.size).toBe(1)
  })

  it('forgets what is as new while others come', () => {
    const store = memoryStore()
    for (let n = 0; n < 1_000; n += 1) store.decide(`old-${n}`, ask('take', 1), 0)
    for (let n = 0; n < 1_000; n += 1) store.decide(`new-${n}`, ask('take', 1), 20_000)
    expect(store.size).toBeLessThanOrEqual(1_001)
  })

  it('keeps reservations while others come, also when their debt has drained', () => {
    const store = memoryStore()
    const tokens = { policy: 't', rule: budget({ limit: 10, windowMs: 1_000, ttlMs: 60_000 }) }
    const reserve = (subject: string, now: number) =>
      store.decide(subject, [{ limit: tokens, action: 'take', amount: 5, id: 'x' }], now)[0]
    reserve('holder', 0)
    for (let n = 0; n < 100; n += 1) reserve(`other-${n}`, 30_000)
    expect(reserve('holder', 30_000)).toMatchObject({ applied: true, remaining: 10 })
    for (let n = 0; n < 500; n += 1) reserve(`late-${n}`, 120_000)
    expect(reserve('holder', 120_000)).toMatchObject({ applied: true, remaining: 5 })
  })

  it('refunds nothing to who was forgotten since', () => {
    const store = memoryStore()
    const stamp = store.decide('s', ask('take', 5), 1_000)[0]?.stamp
    for (let n = 0; n < 10; n += 1) store.decide(`other-${n}`, ask('take', 1), 20_000)
    store.decide('s', ask('take', 9), 20_000)
    const refund = { limit, action: 'refund', amount: 5, stamp } as const
    expect(store.decide('s', [refund], 20_000)[0]).toMatchObject({ applied: false, remaining: 1 })
  })

  it('keeps spent limits and blocks through a flood of fresh subjects', () => {
    const store = memoryStore({ maxKeys: 100 })
    store.decide('spent', ask('take', 10), 0)
    store.decide('blocked', ask('block', 60_000), 0)
    for (let n = 0; n < 100_000; n += 1) store.decide(`flood-${n}`, ask('take', 1), 1)
    expect(store.decide('spent', ask('peek', 1), 2)[0]?.allowed).toBe(false)
    expect(store.decide('blocked', ask('peek', 1), 2)[0]?.allowed).toBe(false)
  })

  it('remembers nobody who was only looked at or denied', () => {
    const store = memoryStore()
    const slots = { policy: 's', rule: concurrency({ limit: 1 }) }
    store.decide('a', ask('peek', 1), 0)
    store.decide('a', [{ limit: slots, action: 'renew', amount: 0, id: 'x' }], 0)
    store.decide('a', [{ limit: slots, action: 'take', amount: 2, id: 'x' }], 0)
    expect(store.size).toBe(0)
  })

  it('shares a policy between limiters only when they mean the same by it', () => {
    const store = memoryStore()
    const same = { policy: 'p', rule: tokenBucket({ limit: 10, windowMs: 10_000 }) }
    const other = { policy: 'p', rule: tokenBucket({ limit: 20, windowMs: 10_000 }) }
    store.decide('a', ask('take', 10), 0)
    expect(store.decide('a', [{ limit: same, action: 'peek', amount: 1 }], 0)[0]?.remaining).toBe(0)
    expect(store.decide('a', [{ limit: other, action: 'peek', amount: 1 }], 0)[0]?.remaining).toBe(
      20,
    )
  })

  it('refuses a bound that is none', () => {
    expect(() => memoryStore({ maxKeys: 0 })).toThrow(/maxKeys/)
  })
})
