import { describe, expect, it } from 'vitest'
import { Trials } from './outcomes.ts'

function decided(useful: number, wasted: number): Trials {
  const trials = new Trials(1_000)
  for (let i = 0; i < useful + wasted; i++) {
    trials.begin(`key-${i}`, 0)
    trials.ready(`key-${i}`)
    trials.asked(`key-${i}`, i < useful)
  }
  return trials
}

describe('Trials', () => {
  it('counts what was asked for in time, once', () => {
    const trials = new Trials(1_000)
    trials.begin('a', 0)
    trials.ready('a')
    trials.asked('a', true)
    trials.asked('a', true)
    expect(trials.outcomes).toEqual({ used: 1, late: 0, wasted: 0, failed: 0, pending: 0 })
  })

  it('counts as late what was asked for while it was being fetched', () => {
    const trials = new Trials(1_000)
    trials.begin('a', 0)
    trials.asked('a', false)
    trials.ready('a')
    expect(trials.outcomes).toEqual({ used: 0, late: 1, wasted: 0, failed: 0, pending: 0 })
  })

  it('counts as wasted what was gone when it was asked for, and what nobody asked for in time', () => {
    const trials = new Trials(1_000)
    for (const [at, key] of ['a', 'b', 'c'].entries()) {
      trials.begin(key, at)
      trials.ready(key)
    }
    trials.asked('a', false)
    trials.settle(1_001)
    expect(trials.outcomes).toEqual({ used: 0, late: 0, wasted: 2, failed: 0, pending: 1 })
  })

  it("counts what couldn't be fetched apart", () => {
    const trials = new Trials(1_000)
    trials.begin('a', 0)
    trials.fail('a')
    trials.fail('a')
    expect(trials.outcomes).toEqual({ used: 0, late: 0, wasted: 0, failed: 1, pending: 0 })
  })

  it('knows the share of waste when enough is decided', () => {
    expect(decided(3, 12).wasteRate).toBeUndefined()
    expect(decided(4, 12).wasteRate).toBe(0.75)
  })

  it('lets as many more on trial as have been useful', () => {
    const trials = decided(5, 0)
    for (let i = 0; i < 21; i++) {
      expect(trials.room).toBe(true)
      trials.begin(`new-${i}`, 0)
    }
    expect(trials.room).toBe(false)
  })

  it('forgets old outcomes for new ones', () => {
    const trials = decided(400, 300)
    expect(trials.wasteRate).toBeGreaterThan(0.7)
    trials.forgive()
    expect(trials.wasteRate).toBeUndefined()
    expect(trials.outcomes).toMatchObject({ used: 400, wasted: 300 })
  })
})
