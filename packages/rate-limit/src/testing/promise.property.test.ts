import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Admitted, type Loss, type Promised, tightestInterval } from './promise.ts'

const admitted = fc
  .record({ askedAt: fc.nat(1_000), took: fc.nat(50), cost: fc.integer({ min: 1, max: 5 }) })
  .map(({ askedAt, took, cost }) => ({ askedAt, answeredAt: askedAt + took, cost }))

const loss = fc
  .record({ from: fc.nat(1_000), took: fc.nat(50), lagMs: fc.nat(100) })
  .map(({ from, took, lagMs }) => ({ from, to: from + took, lagMs }))

const promised = fc.record({
  limit: fc.integer({ min: 1, max: 50 }),
  windowMs: fc.integer({ min: 1, max: 500 }),
  burst: fc.integer({ min: 1, max: 10 }),
  overshoot: fc.nat(3),
  leaseMs: fc.nat(30),
})

/** Every pair of times, one after another. */
function largestExcess(
  { limit, windowMs, burst, overshoot = 0, leaseMs = 0 }: Promised,
  admissions: readonly Admitted[],
  losses: readonly Loss[],
): number {
  const rate = limit / windowMs
  const excesses = admissions.flatMap(({ askedAt: from }) =>
    admissions.map(({ answeredAt: to }) => {
      const inside = admissions.filter((one) => one.askedAt >= from && one.answeredAt <= to)
      const sum = inside.reduce((total, { cost }) => total + cost, 0)
      const lost = losses.filter((one) => one.to + leaseMs >= from && one.from <= to)
      const granted = lost.reduce((total, { lagMs = 0 }) => total + burst + rate * lagMs, 0)
      return inside.length === 0
        ? Number.NEGATIVE_INFINITY
        : sum - (burst + overshoot + rate * (to - from + 1) + granted)
    }),
  )
  return Math.max(...excesses)
}

describe('tightestInterval', () => {
  it('finds what looking at every interval finds', () => {
    fc.assert(
      fc.property(
        promised,
        fc.array(admitted, { minLength: 1, maxLength: 25 }),
        fc.array(loss, { maxLength: 3 }),
        (terms, admissions, losses) => {
          const found = tightestInterval(terms, admissions, losses)
          if (found === undefined) throw new Error('nothing was found')
          const excess = found.admitted - found.allowed
          expect(excess).toBeCloseTo(largestExcess(terms, admissions, losses), 6)
        },
      ),
    )
  })

  it('sees one token too many, and none where none is', () => {
    const terms = { limit: 10, windowMs: 1_000, burst: 5 }
    const at = (time: number) => ({ askedAt: time, answeredAt: time, cost: 1 })
    const kept = [...Array.from({ length: 5 }, () => at(0)), at(99), at(199)]
    const broken = [...kept, at(198)]
    const excess = (admissions: readonly Admitted[]) => {
      const found = tightestInterval(terms, admissions)
      return found === undefined ? 0 : found.admitted - found.allowed
    }
    expect(excess(kept)).toBeLessThanOrEqual(0)
    expect(excess(broken)).toBeGreaterThan(0.9)
  })

  it('grants another burst for a loss in the interval, and only there', () => {
    const terms = { limit: 1, windowMs: 1_000_000, burst: 5 }
    const at = (time: number, cost: number) => ({ askedAt: time, answeredAt: time, cost })
    const lost = [{ from: 10, to: 20 }]
    const across = tightestInterval(terms, [at(0, 5), at(30, 5)], lost)
    const after = tightestInterval(terms, [at(30, 5), at(40, 5)], lost)
    expect((across?.admitted ?? 0) - (across?.allowed ?? 0)).toBeLessThanOrEqual(0)
    expect((after?.admitted ?? 0) - (after?.allowed ?? 0)).toBeGreaterThan(4.9)
  })

  it('grants it for as long after as what was leased before may be spent', () => {
    const terms = { limit: 1, windowMs: 1_000_000, burst: 5, leaseMs: 15 }
    const at = (time: number, cost: number) => ({ askedAt: time, answeredAt: time, cost })
    const excess = (begin: number) => {
      const found = tightestInterval(terms, [at(begin, 5), at(40, 5)], [{ from: 10, to: 20 }])
      return (found?.admitted ?? 0) - (found?.allowed ?? 0)
    }
    expect(excess(35)).toBeLessThanOrEqual(0)
    expect(excess(36)).toBeGreaterThan(4.9)
  })

  it('finds nothing where nothing was admitted', () => {
    expect(tightestInterval({ limit: 1, windowMs: 1, burst: 1 }, [])).toBeUndefined()
  })
})
