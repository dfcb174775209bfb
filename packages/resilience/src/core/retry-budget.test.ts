import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRetryBudget } from './retry-budget.ts'

function budgetAt(options: Parameters<typeof createRetryBudget>[0] = {}) {
  const clock = { ms: 0 }
  return { clock, budget: createRetryBudget({ ...options, now: () => clock.ms }) }
}

function take(budget: { tryRetry(): boolean }, tries = 10_000): number {
  let granted = 0
  for (let i = 0; i < tries; i++) if (budget.tryRetry()) granted++
  return granted
}

describe('createRetryBudget', () => {
  it('allows the floor of one window without any call', () => {
    const { budget } = budgetAt()
    expect(budget.balance).toBe(100)
    expect(take(budget)).toBe(100)
    expect(budget.balance).toBe(0)
  })

  it('allows a fifth of the calls on top of the floor', () => {
    const { budget } = budgetAt()
    for (let i = 0; i < 1_000; i++) budget.onCall()
    expect(budget.balance).toBe(300)
    expect(take(budget)).toBe(300)
  })

  it('allows no retry at all with nothing to pay for it', () => {
    const { budget } = budgetAt({ ratio: 0, perSecond: 0 })
    for (let i = 0; i < 1_000; i++) budget.onCall()
    expect(take(budget)).toBe(0)
  })

  it('forgets calls and retries when the window has passed', () => {
    const { budget, clock } = budgetAt({ perSecond: 1 })
    for (let i = 0; i < 1_000; i++) budget.onCall()
    clock.ms = 10_000
    expect(take(budget)).toBe(10)
    clock.ms = 20_000
    expect(take(budget)).toBe(0)
    clock.ms = 20_200
    expect(take(budget)).toBe(10)
  })

  it('is full again after any idle time', () => {
    const { budget, clock } = budgetAt()
    for (let i = 0; i < 50; i++) budget.onCall()
    take(budget)
    clock.ms = 3_600_000
    expect(budget.balance).toBe(100)
  })

  it('grants the floor year in, year out, but for a slice', () => {
    const { budget, clock } = budgetAt({ ratio: 0 })
    let granted = 0
    for (; clock.ms < 600_000; clock.ms += 20) if (budget.tryRetry()) granted++
    expect(granted).toBeGreaterThanOrEqual(600 * 10 * 0.98)
    expect(granted).toBeLessThanOrEqual(600 * 10 + 100)
  })

  it('refuses options out of range', () => {
    expect(() => createRetryBudget({ ratio: -1 })).toThrow(RangeError)
    expect(() => createRetryBudget({ perSecond: Number.NaN })).toThrow(RangeError)
    expect(() => createRetryBudget({ windowMs: 0 })).toThrow(RangeError)
  })

  const schedule = fc.array(
    fc.record({
      after: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3_000 })),
      calls: fc.integer({ min: 0, max: 20 }),
      retries: fc.integer({ min: 0, max: 40 }),
    }),
    { maxLength: 120 },
  )
  const given = fc.record({
    ratio: fc.constantFrom(0, 0.1, 0.2, 0.5, 1, 2),
    perSecond: fc.constantFrom(0, 1, 5, 10),
    windowMs: fc.constantFrom(500, 1_000, 3_333),
    start: fc.integer({ min: 0, max: 100_000 }),
  })

  it('never grants more than calls and floor pay for, in any window that ends with a retry', () => {
    fc.assert(
      fc.property(given, schedule, ({ start, ...options }, steps) => {
        const clock = { ms: start }
        const budget = createRetryBudget({ ...options, now: () => clock.ms })
        const calls: number[] = []
        const granted: number[] = []
        const within = (times: number[]): number =>
          times.filter((at) => at > clock.ms - options.windowMs).length
        for (const step of steps) {
          clock.ms += step.after
          for (let i = 0; i < step.calls; i++) {
            budget.onCall()
            calls.push(clock.ms)
          }
          const got = take(budget, step.retries)
          for (let i = 0; i < got; i++) granted.push(clock.ms)
          if (got > 0) {
            const paid =
              options.ratio * within(calls) + (options.perSecond * options.windowMs) / 1_000
            expect(within(granted)).toBeLessThanOrEqual(paid + 1e-9)
          }
        }
      }),
    )
  })

  it('never grants more than calls and floor pay for, over a whole history', () => {
    fc.assert(
      fc.property(given, schedule, ({ start, ...options }, steps) => {
        const clock = { ms: start }
        const budget = createRetryBudget({ ...options, now: () => clock.ms })
        let calls = 0
        let granted = 0
        for (const step of steps) {
          clock.ms += step.after
          for (let i = 0; i < step.calls; i++) budget.onCall()
          calls += step.calls
          granted += take(budget, step.retries)
        }
        const windows = Math.floor((clock.ms - start) / options.windowMs) + 1
        const floor = (options.perSecond * options.windowMs * windows) / 1_000
        expect(granted).toBeLessThanOrEqual(options.ratio * calls + floor + 1e-9)
      }),
    )
  })

  it('never withholds what the calls of the window, less a slice, pay for', () => {
    fc.assert(
      fc.property(given, schedule, ({ start, ...options }, steps) => {
        const clock = { ms: start }
        const budget = createRetryBudget({ ...options, now: () => clock.ms })
        const sliceMs = options.windowMs / 50
        const calls: number[] = []
        const granted: number[] = []
        for (const step of steps) {
          clock.ms += step.after
          for (let i = 0; i < step.calls; i++) {
            budget.onCall()
            calls.push(clock.ms)
          }
          const sure = calls.filter((at) => at > clock.ms - options.windowMs + sliceMs).length
          const counted = granted.filter((at) => at > clock.ms - options.windowMs - sliceMs).length
          const reserve = (options.perSecond * options.windowMs) / 1_000
          const atLeast = Math.floor(options.ratio * sure + reserve - counted - 1e-9)
          expect(budget.balance).toBeGreaterThanOrEqual(Math.max(0, atLeast))
          const got = take(budget, step.retries)
          for (let i = 0; i < got; i++) granted.push(clock.ms)
        }
      }),
    )
  })
})
