import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from '../rules.ts'
import { shareOf } from './share-of-rule.ts'

describe('shareOf', () => {
  it('is the rule itself for one process', () => {
    const rule = tokenBucket({ limit: 7, windowMs: 900, burst: 3, shadow: true })
    expect(shareOf(rule, 1)).toEqual(rule)
  })

  it('stretches rates, divides windows and slots, and leaves at least the smallest part', () => {
    const window = { limit: 10, windowMs: 1_000 }
    expect(shareOf(tokenBucket({ ...window, burst: 9 }), 4)).toMatchObject({
      ...{ limit: 10, windowMs: 4_000, burst: 2 },
    })
    expect(shareOf(budget({ ...window, burst: 2, ttlMs: 70 }), 4)).toMatchObject({
      ...{ limit: 10, windowMs: 4_000, burst: 1, ttlMs: 70 },
    })
    expect(shareOf(slidingWindow(window), 4)).toMatchObject({ limit: 2, windowMs: 1_000 })
    expect(shareOf(fixedWindow(window), 25)).toMatchObject({ limit: 1, windowMs: 3_000 })
    expect(shareOf(concurrency({ limit: 10, ttlMs: 70 }), 4)).toMatchObject({ limit: 2, ttlMs: 70 })
    expect(shareOf(concurrency({ limit: 2 }), 4)).toMatchObject({ limit: 1 })
  })

  it.each([0, -3, Number.NaN, 1.9])('takes %s processes for one', (nodes) => {
    expect(shareOf(slidingWindow({ limit: 10, windowMs: 1_000 }), nodes)).toMatchObject({
      limit: 10,
    })
  })

  it('is a rule that can be kept, never faster than its part, however large the numbers', () => {
    const numbers = fc.record({
      limit: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(2 ** 40, 2 ** 50)),
      windowMs: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(2 ** 20, 2 ** 42)),
      burst: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(2 ** 8, 2 ** 30)),
    })
    const nodes = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constantFrom(10_000, 2 ** 52))
    fc.assert(
      fc.property(numbers, nodes, ({ limit, windowMs, burst }, count) => {
        for (const make of [tokenBucket, budget]) {
          const rule = ruleOrNothing(() => make({ limit, windowMs, burst }))
          if (rule === undefined) continue
          const share = shareOf(rule, count)
          if (!('burst' in share)) throw new TypeError('another kind')
          const parts = Math.min(count, 1_000_000)
          expect(share.burst).toBeLessThanOrEqual(Math.max(1, burst / parts))
          if (windowMs * parts < 2 ** 42) {
            expect(share.limit / share.windowMs).toBeLessThanOrEqual(
              (limit / windowMs / parts) * 1.000001,
            )
          }
          const asked = {
            limit: { policy: 'p', rule: share },
            action: 'take',
            amount: share.burst,
          } as const
          expect(memoryStore().decide('s', [asked], 0)[0]?.remaining).toBe(0)
        }
        for (const make of [slidingWindow, fixedWindow]) {
          const share = shareOf(make({ limit, windowMs }), count)
          expect(share.limit).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })
})

function ruleOrNothing<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
