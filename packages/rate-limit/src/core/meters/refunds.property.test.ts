import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import { budget, fixedWindow, type Rule, slidingWindow, tokenBucket } from '../rules.ts'
import type { StoreRequest, Verdict } from '../store.ts'

const moves = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 15 }) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 120 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -500, max: -1 }) },
    ),
    action: fc.constantFrom('take', 'take', 'undone', 'undone', 'penalty', 'hold', 'settle'),
    cost: fc.integer({ min: 0, max: 20 }),
    id: fc.constantFrom('a', 'b', 'c'),
    /** After how many moves a take is undone. */
    after: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 60, size: 'max' },
)

const window = fc.record({
  limit: fc.integer({ min: 1, max: 80 }),
  windowMs: fc.integer({ min: 1, max: 1_000 }),
})
const bursts = fc.tuple(window, fc.integer({ min: 1, max: 60 }))
const kinds: readonly (readonly [string, fc.Arbitrary<Rule>])[] = [
  ['token bucket', bursts.map(([options, burst]) => tokenBucket({ ...options, burst }))],
  ['budget', bursts.map(([options, burst]) => budget({ ...options, burst, ttlMs: 400 }))],
  ['sliding window', window.map(slidingWindow)],
  ['fixed window', window.map(fixedWindow)],
]

describe.each(kinds)('a refund of a %s', (name, rules) => {
  it('never leaves room for more than if the take had never happened', () => {
    fc.assert(
      fc.property(rules, moves, (rule, list) => {
        const [store, without] = [memoryStore(), memoryStore()]
        const limit = { policy: 'p', rule }
        let clock = 1_800_000_000_000
        const undoing: { move: number; cost: number; stamp: number }[] = []
        const ask = (of: typeof store, asked: Omit<StoreRequest, 'limit'>): Verdict => {
          const [verdict] = of.decide('s', [{ limit, ...asked }], clock)
          if (verdict === undefined) throw new TypeError('no verdict')
          return verdict
        }
        // Both know the subject from the beginning: each counts the clock's steps since it does.
        for (const of of [store, without]) ask(of, { action: 'take', amount: 0 })
        for (const [move, { step, action, cost, id, after }] of list.entries()) {
          // The count of a fixed window goes back with the clock: its stamp would be another window's.
          clock += name === 'fixed window' ? Math.abs(step) : step
          if (action === 'undone') {
            const { applied, stamp } = ask(store, { action: 'take', amount: cost })
            if (applied) undoing.push({ move: move + after, cost, stamp })
          } else if (action === 'take' || action === 'hold') {
            const take = { action: 'take', amount: cost, ...(action === 'hold' && { id }) } as const
            if (ask(store, take).applied) expect(ask(without, take).applied).toBe(true)
          } else if (action === 'penalty') {
            for (const of of [store, without]) ask(of, { action, amount: cost })
          } else {
            const settle = { action, amount: cost, id, estimate: 20 } as const
            for (const of of [store, without]) ask(of, settle)
          }
          for (const due of undoing.filter((one) => one.move === move)) {
            ask(store, { action: 'refund', amount: due.cost, stamp: due.stamp })
          }
          const [left, allowed] = [store, without].map((of) =>
            ask(of, { action: 'peek', amount: 0 }),
          )
          const open = undoing.some((one) => one.move > move)
          if (!open) expect(left?.remaining).toBeLessThanOrEqual(allowed?.remaining ?? 0)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('restores what was there when it comes at once', () => {
    fc.assert(
      fc.property(rules, moves, fc.integer({ min: 0, max: 60 }), (rule, list, wanted) => {
        const store = memoryStore()
        const limit = { policy: 'p', rule }
        let clock = 1_800_000_000_000
        const ask = (asked: Omit<StoreRequest, 'limit'>) =>
          store.decide('s', [{ limit, ...asked }], clock)[0]
        for (const { step, cost } of list) {
          clock += step
          ask({ action: 'take', amount: cost })
        }
        const before = ask({ action: 'peek', amount: 0 })
        const taken = ask({ action: 'take', amount: wanted })
        if (taken?.applied !== true) return
        const after = ask({ action: 'refund', amount: wanted, stamp: taken.stamp })
        expect(after?.remaining).toBe(before?.remaining)
      }),
    )
  })
})
