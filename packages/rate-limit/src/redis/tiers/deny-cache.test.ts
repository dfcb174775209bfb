import { describe, expect, it } from 'vitest'
import { budget, concurrency, type Rule, slidingWindow, tokenBucket } from '../../core/rules.ts'
import type { Limit, StoreRequest, Verdict } from '../../core/store.ts'
import { DenyCache } from './deny-cache.ts'

const windowMs = 1_000
const limitOf = (rule: Rule, policy = 'one'): Limit => ({ policy, rule })
const bucket = limitOf(tokenBucket({ limit: 10, windowMs }))
const sliding = limitOf(slidingWindow({ limit: 10, windowMs }), 'two')

const take = (limit: Limit, amount = 1, id?: string): StoreRequest => ({
  limit,
  action: 'take',
  amount,
  id,
})

const verdict = (retryAfterMs: number, remaining = 0): Verdict => ({
  allowed: retryAfterMs === 0,
  applied: false,
  remaining,
  retryAfterMs,
  resetMs: 900,
  source: 'redis',
  stamp: -1,
})

function cacheAt(start: number, { mostMs = 10_000, maxSubjects = 100 } = {}) {
  const clock = { now: start }
  return { clock, cache: new DenyCache({ mostMs, maxSubjects, monotonic: () => clock.now }) }
}

describe('DenyCache', () => {
  it('denies until the time at which it would fit, counted from when it was asked', () => {
    const { clock, cache } = cacheAt(105)
    cache.remember('ada', [take(bucket)], [verdict(300)], 100)
    clock.now = 205
    expect(cache.answer('ada', [take(bucket)])).toEqual([
      { ...verdict(200), resetMs: 800, source: 'deny-cache' },
    ])
    clock.now = 398.9
    expect(cache.answer('ada', [take(bucket)])).toBeDefined()
    clock.now = 399
    expect(cache.answer('ada', [take(bucket)])).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  it('denies a higher cost too, but no lower one, no other subject and no other question', () => {
    const { cache } = cacheAt(0)
    cache.remember('ada', [take(bucket, 3)], [verdict(300, 2)], 0)
    expect(cache.answer('ada', [take(bucket, 4)])).toBeDefined()
    expect(cache.answer('ada', [take(bucket, 2)])).toBeUndefined()
    expect(cache.answer('ada', [take(bucket, 11)])).toBeUndefined()
    expect(cache.answer('eve', [take(bucket, 3)])).toBeUndefined()
    expect(cache.answer('ada', [take(sliding, 3)])).toBeUndefined()
    expect(cache.answer('ada', [{ ...take(bucket, 3), action: 'peek' }])).toBeUndefined()
    expect(cache.answer('ada', [take(bucket, 3), take(sliding)])).toBeUndefined()
  })

  it('tells all policies of a call as they were, and as time went on', () => {
    const { clock, cache } = cacheAt(0)
    const call = [take(bucket, 2), take(sliding)]
    cache.remember('ada', call, [verdict(100), verdict(400)], 0)
    clock.now = 150
    expect(cache.answer('ada', call)).toMatchObject([
      { allowed: true, applied: false, retryAfterMs: 0, remaining: 2, resetMs: 750 },
      { allowed: false, applied: false, retryAfterMs: 250, remaining: 0 },
    ])
    cache.remember('ada', call, [verdict(0, 7), verdict(400)], 150)
    clock.now = 200
    expect(cache.answer('ada', call)).toMatchObject([
      { allowed: true, applied: false, retryAfterMs: 0, remaining: 7 },
      { allowed: false, retryAfterMs: 350 },
    ])
    expect(cache.answer('ada', [take(bucket, 3), take(sliding)])).toBeUndefined()
    expect(cache.answer('ada', [take(bucket, 2), take(sliding, 5)])).toBeDefined()
  })

  it('remembers nothing that others may give back', () => {
    const { cache } = cacheAt(0)
    const slots = limitOf(concurrency({ limit: 1 }), 'slots')
    const tokens = limitOf(budget({ limit: 1, windowMs }), 'tokens')
    for (const held of [slots, tokens]) {
      cache.remember('ada', [take(held, 1, 'x')], [verdict(500)], 0)
      cache.remember('ada', [take(bucket), take(held, 1, 'x')], [verdict(500), verdict(500)], 0)
    }
    expect(cache.size).toBe(0)
    const call = (id: string) => [take(bucket), take(slots, 1, id)]
    cache.remember('ada', call('x'), [verdict(500), verdict(0)], 0)
    expect(cache.answer('ada', call('y'))).toMatchObject([{ allowed: false }, { allowed: true }])
  })

  it('takes no denial from a shadow policy, and is not kept from one by it', () => {
    const { cache } = cacheAt(0)
    const shadow = limitOf(tokenBucket({ limit: 1, windowMs, shadow: true }), 'shadow')
    cache.remember('ada', [take(shadow)], [verdict(500)], 0)
    expect(cache.size).toBe(0)
    const call = [take(shadow), take(bucket)]
    cache.remember('ada', call, [verdict(900), verdict(500)], 0)
    expect(cache.answer('ada', call)).toMatchObject([{ retryAfterMs: 900 }, { retryAfterMs: 500 }])
  })

  it('believes no denial for longer than it is told to, and none at all for 0', () => {
    const { clock, cache } = cacheAt(0, { mostMs: 1_000 })
    cache.remember('ada', [take(bucket)], [verdict(5_000)], 0)
    clock.now = 999
    expect(cache.answer('ada', [take(bucket)])).toMatchObject([{ retryAfterMs: 4_001 }])
    clock.now = 1_000
    expect(cache.answer('ada', [take(bucket)])).toBeUndefined()
    const off = cacheAt(0, { mostMs: 0 }).cache
    off.remember('ada', [take(bucket)], [verdict(5_000)], 0)
    expect(off.size).toBe(0)
  })

  it('believes nothing that was asked before something was changed', () => {
    const { clock, cache } = cacheAt(100)
    cache.remember('ada', [take(bucket)], [verdict(500)], 100)
    cache.forget('ada')
    expect(cache.answer('ada', [take(bucket)])).toBeUndefined()
    cache.remember('ada', [take(bucket)], [verdict(500)], 90)
    expect(cache.answer('ada', [take(bucket)])).toBeUndefined()
    clock.now = 120
    cache.remember('ada', [take(bucket)], [verdict(500)], 110)
    expect(cache.answer('ada', [take(bucket)])).toBeDefined()
  })

  it('stays bounded in a flood of subjects, and keeps those who come again', () => {
    const { cache } = cacheAt(0, { maxSubjects: 50 })
    const long = 'x'.repeat(5_000)
    for (let at = 0; at < 1_000; at += 1) {
      if (at % 10 === 0) cache.remember('eve', [take(bucket)], [verdict(500)], 0)
      cache.remember(`${long}${at}`, [take(bucket)], [verdict(500)], 0)
      expect(cache.answer('eve', [take(bucket)])).toBeDefined()
    }
    expect(cache.size).toBeLessThanOrEqual(50)
  })

  it('remembers a few different calls of a subject', () => {
    const { cache } = cacheAt(0)
    for (let cost = 10; cost > 0; cost -= 1) {
      cache.remember('ada', [take(sliding, cost)], [verdict(500)], 0)
      cache.remember('ada', [take(bucket, cost)], [verdict(500)], 0)
    }
    expect(cache.answer('ada', [take(bucket, 1)])).toBeDefined()
    expect(cache.answer('ada', [take(sliding, 1)])).toBeDefined()
    expect(cache.size).toBe(1)
  })
})
