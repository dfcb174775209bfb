import { describe, expect, it } from 'vitest'
import { CallBudget } from './call-budget.ts'

describe('CallBudget', () => {
  it('gives so many in each window, and no more', () => {
    let now = 0
    const budget = new CallBudget({ amount: 2, windowMs: 1_000 }, () => now)
    const take = (): boolean[] => [budget.take(), budget.take(), budget.take()]
    expect(take()).toEqual([true, true, false])
    now = 999
    expect(budget.left).toBe(0)
    now = 1_000
    expect(budget.left).toBe(2)
    expect(take()).toEqual([true, true, false])
  })
})
