import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Distribution } from './distribution.ts'

/** From a picosecond to centuries, and zero: the same weight for every scale. */
const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: -11, max: 18, noNaN: true }).map((e) => 10 ** e) },
  { weight: 1, arbitrary: fc.constant(0) },
)
const some = fc.array(value, { minLength: 1, maxLength: 300 })
const share = fc.double({ min: 0, max: 1, noNaN: true })

function of(values: readonly number[]): Distribution {
  const distribution = new Distribution()
  for (const one of values) distribution.record(one)
  return distribution
}

function exact(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN
}

function closeTo(found: number, truth: number): boolean {
  return Math.abs(found - truth) <= 0.04 * truth
}

describe('Distribution', () => {
  it('tells any quantile within 4 % at any scale', () => {
    fc.assert(
      fc.property(some, share, (values, q) => closeTo(of(values).quantile(q), exact(values, q))),
      { numRuns: 500 },
    )
  })

  it('is the same when merged of parts, or when the earlier part is subtracted', () => {
    fc.assert(
      fc.property(some, some, share, (one, other, q) => {
        const whole = of([...one, ...other])
        const earlier = of(one)
        const merged = earlier.copy().merge(of(other))
        expect([merged.count, merged.quantile(q)]).toEqual([whole.count, whole.quantile(q)])
        const later = whole.minus(earlier)
        expect([later.count, later.quantile(q)]).toEqual([other.length, of(other).quantile(q)])
        expect(earlier.count).toBe(one.length)
      }),
    )
  })

  it('has the sum and the mean of its values', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), (values) => {
        const sum = values.reduce((total, one) => total + one, 0)
        expect(of(values)).toMatchObject({ sum, count: values.length, mean: sum / values.length })
      }),
    )
  })

  it('takes no value that is none, and bounds the rest', () => {
    const distribution = new Distribution()
    const wrong = [-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 63]
    expect(wrong.map((one) => distribution.record(one))).not.toContain(true)
    expect([distribution.quantile(0.5), distribution.mean]).toEqual([Number.NaN, Number.NaN])
    for (const one of [Number.MIN_VALUE, 1e-300, 2 ** 63 - 1024]) distribution.record(one)
    expect(distribution.quantile(0.5)).toBe(0)
    expect(closeTo(distribution.quantile(1), 2 ** 63)).toBe(true)
    expect(distribution.quantile(Number.NaN)).toBeNaN()
  })
})
