import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallBudget } from './call-budget.ts'

describe('CallBudget', () => {
  it('never gives more than its rate and a sixth of a minute at once', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), waits, (perMinute, gaps) => {
        const budget = new CallBudget(perMinute, 0)
        let [now, taken] = [0, 0]
        for (const gap of gaps) {
          now += gap
          while (budget.take(now)) taken += 1
        }
        expect(taken).toBeLessThanOrEqual(Math.max(1, perMinute / 6) + (perMinute * now) / 60_000)
      }),
    )
  })

  it('gives again what a minute brings', () => {
    const budget = new CallBudget(6, 0)
    expect([budget.take(0), budget.take(0), budget.take(9_999), budget.take(10_000)]).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  it('gives nothing for a clock that was set back', () => {
    const budget = new CallBudget(6, 10_000)
    expect([budget.take(10_000), budget.take(0), budget.take(5_000)]).toEqual([true, false, false])
  })

  it('never gives anything of nothing', () => {
    expect(new CallBudget(0, 0).take(1_000_000)).toBe(false)
  })
})
