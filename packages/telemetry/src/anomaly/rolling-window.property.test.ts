import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RollingWindow } from './rolling-window.ts'

describe('RollingWindow', () => {
  it('has the quantiles of the last values', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    )
    const shares = [0, 0.25, 0.5, 0.75, 1]
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(value, { maxLength: 40 }),
        (size, values) => {
          const window = new RollingWindow(size)
          for (const [at, each] of values.entries()) {
            window.push(each)
            const last = values.slice(Math.max(0, at + 1 - size), at + 1).sort((a, b) => a - b)
            expect(window.size).toBe(last.length)
            for (const share of shares) {
              const place = share * (last.length - 1)
              const below = last[Math.floor(place)] ?? Number.NaN
              const above = last[Math.ceil(place)] ?? Number.NaN
              const expected = below + (above - below) * (place % 1)
              expect(window.quantile(share)).toBeCloseTo(expected, 3)
            }
          }
        },
      ),
    )
  })

  it('has no quantile of nothing', () => {
    expect(new RollingWindow(3).quantile(0.5)).toBeNaN()
  })
})
