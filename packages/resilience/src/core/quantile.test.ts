import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createQuantile } from './quantile.ts'

describe('createQuantile', () => {
  it('knows nothing before it has seen 20 samples', () => {
    const quantile = createQuantile()
    for (let i = 0; i < 19; i++) quantile.record(1)
    expect(quantile.value(0.95)).toBeUndefined()
    quantile.record(1)
    expect(quantile.value(0.95)).toBe(1)
  })

  it('tells what a share of the samples does not exceed', () => {
    const quantile = createQuantile()
    for (let ms = 100; ms >= 1; ms--) quantile.record(ms)
    expect([0.01, 0.5, 0.95, 0.99, 1].map(quantile.value)).toEqual([1, 50, 95, 99, 100])
  })

  it('ignores what is no duration', () => {
    const quantile = createQuantile()
    for (let i = 0; i < 20; i++) quantile.record(5)
    for (const ms of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) quantile.record(ms)
    expect(quantile.value(0.01)).toBe(5)
    expect(quantile.value(1)).toBe(5)
  })

  it('always tells the nearest rank of the last samples and of no older ones', () => {
    const sample = fc.oneof(fc.nat(20), fc.double({ min: 0, noNaN: true }))
    const share = fc.double({ min: 0.001, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 30 }),
        fc.array(sample, { minLength: 20, maxLength: 100, size: 'max' }),
        share,
        (window, samples, q) => {
          const quantile = createQuantile({ window })
          for (const ms of samples) quantile.record(ms)
          const last = samples.slice(-window).sort((a, b) => a - b)
          expect(quantile.value(q)).toBe(last[Math.max(1, Math.ceil(q * last.length)) - 1])
        },
      ),
    )
  })

  it('refuses a window that is too small to say anything', () => {
    expect(() => createQuantile({ window: 19 })).toThrow(RangeError)
  })
})
