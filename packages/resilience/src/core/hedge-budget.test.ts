import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHedgeBudget } from './hedge-budget.ts'

describe('createHedgeBudget', () => {
  it('allows one hedge with the call that pays for it, unless told otherwise the twentieth', () => {
    const budget = createHedgeBudget()
    for (let i = 0; i < 19; i++) budget.onCall()
    expect(budget.tryHedge()).toBe(false)
    budget.onCall()
    expect(budget.tryHedge()).toBe(true)
    expect(budget.tryHedge()).toBe(false)
  })

  it('loses nothing to the rounding of fractions', () => {
    const budget = createHedgeBudget({ ratio: 0.1 })
    for (let i = 0; i < 10; i++) budget.onCall()
    expect(budget.tryHedge()).toBe(true)
  })

  it('saves only some of them up', () => {
    const budget = createHedgeBudget({ ratio: 1 })
    for (let i = 0; i < 1000; i++) budget.onCall()
    const granted = Array.from({ length: 1000 }, () => budget.tryHedge()).filter(Boolean)
    expect(granted).toHaveLength(10)
  })

  it('never allows more than the share of the calls made until then', () => {
    const ratios = fc.double({ min: 0, max: 3, noNaN: true })
    fc.assert(
      fc.property(ratios, fc.array(fc.boolean(), { maxLength: 300 }), (ratio, schedule) => {
        const budget = createHedgeBudget({ ratio })
        let calls = 0
        let hedges = 0
        for (const isCall of schedule) {
          if (isCall) {
            budget.onCall()
            calls += 1
          } else if (budget.tryHedge()) hedges += 1
          expect(hedges).toBeLessThanOrEqual(calls * ratio + 1e-6)
        }
      }),
    )
  })

  it('refuses a senseless ratio when it is made', () => {
    expect(() => createHedgeBudget({ ratio: -1 })).toThrow(RangeError)
  })
})
