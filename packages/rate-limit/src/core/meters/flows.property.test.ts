import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import { capacityOf, fixedWindow, type Rule, slidingWindow, tokenBucket } from '../rules.ts'

interface Admitted {
  /** By the sum of the clock's forward steps. */
  readonly at: number
  readonly cost: number
}

interface Arrival {
  readonly step: number
  readonly cost: number
}

const START = 1_800_000_000_000

/** Steps of the clock from a long way back to several windows on, most of them small. */
const arrivals = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 15 }) },
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -2_000, max: -1 }) },
    ),
    cost: fc.integer({ min: 0, max: 12 }),
  }),
  { maxLength: 80, size: 'max' },
)
const windows = fc.record({
  limit: fc.integer({ min: 1, max: 60 }),
  windowMs: fc.integer({ min: 1, max: 1_000 }),
})

/** Runs arrivals against the store, telling what was admitted, and when by the time that really passed. */
function run(
  rule: Rule,
  list: readonly Arrival[],
  judge?: (before: readonly Admitted[], arrival: Admitted, allowed: boolean, clock: number) => void,
) {
  const store = memoryStore()
  const limit = { policy: 'p', rule }
  const admitted: Admitted[] = []
  let clock = START
  let at = 0
  const ask = (cost: number) =>
    store.decide('s', [{ limit, action: 'take', amount: cost }], clock)[0]
  for (const { step, cost } of list) {
    clock += step
    at += Math.max(0, step)
    const verdict = ask(cost)
    const allowed = verdict?.allowed === true
    judge?.(admitted, { at, cost }, allowed, clock)
    expect(verdict?.remaining).toBeGreaterThanOrEqual(0)
    expect(allowed).toBe(verdict?.retryAfterMs === 0)
    if (allowed) admitted.push({ at, cost })
  }
  const wait = (ms: number) => {
    clock += ms
  }
  return { admitted, ask, wait }
}

function sum(list: readonly Admitted[]): number {
  return list.reduce((total, { cost }) => total + cost, 0)
}

const kinds: readonly (readonly [string, fc.Arbitrary<Rule>])[] = [
  [
    'token bucket',
    fc
      .tuple(windows, fc.integer({ min: 1, max: 60 }))
      .map(([window, burst]) => tokenBucket({ ...window, burst })),
  ],
  ['sliding window', windows.map(slidingWindow)],
  ['fixed window', windows.map(fixedWindow)],
]

describe.each(kinds)('%s', (_, rules) => {
  it('denies until retryAfterMs has passed, and allows then', () => {
    fc.assert(
      fc.property(rules, arrivals, fc.integer({ min: 1, max: 60 }), (rule, list, wanted) => {
        const { ask, wait } = run(rule, list)
        const cost = Math.min(wanted, capacityOf(rule))
        const verdict = ask(cost)
        if (verdict === undefined || verdict.allowed) return
        wait(verdict.retryAfterMs - 1)
        expect(ask(cost)?.allowed).toBe(false)
        wait(1)
        expect(ask(cost)?.allowed).toBe(true)
      }),
    )
  })

  it('is as new when resetMs has passed, and not before', () => {
    fc.assert(
      fc.property(rules, arrivals, (rule, list) => {
        const { ask, wait } = run(rule, list)
        const resetMs = ask(0)?.resetMs ?? 0
        wait(Math.max(0, resetMs - 1))
        if (resetMs > 0) expect(ask(0)?.resetMs).toBe(1)
        wait(1)
        expect(ask(0)).toMatchObject({ remaining: capacityOf(rule), resetMs: 0 })
      }),
    )
  })

  it('has room for exactly what remains', () => {
    fc.assert(
      fc.property(rules, arrivals, (rule, list) => {
        const { ask } = run(rule, list)
        const remaining = ask(0)?.remaining ?? 0
        expect(ask(remaining + 1)?.allowed).toBe(false)
        expect(ask(remaining)?.remaining).toBe(0)
      }),
    )
  })
})

describe('the promises', () => {
  it('token bucket: admits exactly what keeps every interval within burst + rate · interval', () => {
    fc.assert(
      fc.property(
        windows,
        fc.integer({ min: 1, max: 60 }),
        arrivals,
        ({ limit, windowMs }, burst, list) => {
          run(tokenBucket({ limit, windowMs, burst }), list, (before, { at, cost }, allowed) => {
            const fits = [...before, { at, cost }].every((first, index) => {
              const since = sum(before.slice(index)) + cost
              return since * windowMs <= burst * windowMs + limit * (at - first.at)
            })
            expect(allowed).toBe(fits)
          })
        },
      ),
    )
  })

  it('sliding window: up to 32, admits exactly what keeps every window within the limit', () => {
    const exact = fc.record({
      limit: fc.integer({ min: 1, max: 32 }),
      windowMs: fc.integer({ min: 1, max: 1_000 }),
    })
    fc.assert(
      fc.property(exact, arrivals, ({ limit, windowMs }, list) => {
        run(slidingWindow({ limit, windowMs }), list, (before, { at, cost }, allowed) => {
          const inWindow = before.filter((one) => one.at > at - windowMs)
          expect(allowed).toBe(sum(inWindow) + cost <= limit)
        })
      }),
    )
  })

  it('sliding window: above, never admits more, and gives back at most a 32nd late', () => {
    const coarse = fc.record({
      limit: fc.integer({ min: 33, max: 90 }),
      windowMs: fc.integer({ min: 1, max: 1_000 }),
    })
    fc.assert(
      fc.property(coarse, arrivals, ({ limit, windowMs }, list) => {
        run(slidingWindow({ limit, windowMs }), list, (before, { at, cost }, allowed) => {
          const within = (ms: number) => sum(before.filter((one) => one.at > at - ms)) + cost
          if (allowed) expect(within(windowMs)).toBeLessThanOrEqual(limit)
          else expect(within(windowMs + Math.ceil(windowMs / 32))).toBeGreaterThan(limit)
        })
      }),
      { numRuns: 500 },
    )
  })

  it('fixed window: admits exactly the limit in each window, also when the clock steps back', () => {
    fc.assert(
      fc.property(windows, arrivals, ({ limit, windowMs }, list) => {
        let window = Number.NEGATIVE_INFINITY
        let used = 0
        run(fixedWindow({ limit, windowMs }), list, (_, { cost }, allowed, clock) => {
          const current = Math.floor(clock / windowMs)
          if (current > window) used = 0
          window = current
          expect(allowed).toBe(used + cost <= limit)
          if (allowed) used += cost
        })
      }),
    )
  })

  it('token bucket: stays exact at rates that are no whole number of milliseconds', () => {
    const store = memoryStore()
    const limit = { policy: 'p', rule: tokenBucket({ limit: 999_983, windowMs: 86_400_000 }) }
    const take = (amount: number, now: number) =>
      store.decide('s', [{ limit, action: 'take', amount }], now)[0]
    take(999_983, 0)
    let admitted = 0
    for (let now = 0; now <= 86_400_000; now += 8_641) if (take(100, now)?.allowed) admitted += 100
    expect(admitted).toBeLessThanOrEqual(999_983)
    expect(admitted).toBeGreaterThan(999_983 - 200)
  })
})
