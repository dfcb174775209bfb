import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBackoff } from './backoff.ts'

const options = fc.record({
  initial: fc.integer({ min: 0, max: 10_000 }),
  max: fc.integer({ min: 1, max: 100_000 }),
  multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
})
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const retries = fc.integer({ min: 1, max: 5_000 })

function grown({ initial, max, multiplier }: Record<string, number>, retry: number): number {
  return initial === 0 ? 0 : Math.min(max ?? 0, (initial ?? 0) * (multiplier ?? 0) ** (retry - 1))
}

describe('createBackoff', () => {
  it('grows by the multiplier up to the maximum without jitter', () => {
    const backoff = createBackoff({ initial: 100, max: 1_000, multiplier: 3, jitter: 'none' })
    expect([1, 2, 3, 4, 9_999].map((retry) => backoff.delay(retry, 0))).toEqual([
      100, 300, 900, 1_000, 1_000,
    ])
  })

  it('takes 200 ms to 5 s, doubled each time, with full jitter, unless told otherwise', () => {
    const backoff = createBackoff({ random: () => 0.5 })
    expect([1, 2, 3, 4, 5, 6].map((retry) => backoff.delay(retry, 0))).toEqual([
      100, 200, 400, 800, 1_600, 2_500,
    ])
  })

  it('stays from 1 ms to the grown wait with full jitter', () => {
    fc.assert(
      fc.property(options, chance, retries, (given, luck, retry) => {
        const delay = createBackoff({ ...given, random: () => luck }).delay(retry, 0)
        expect(delay).toBeGreaterThanOrEqual(1)
        expect(delay).toBeLessThanOrEqual(Math.max(1, grown(given, retry)))
        expect(delay).toBe(Math.max(1, luck * grown(given, retry)))
      }),
    )
  })

  it('stays from the initial wait to three times the previous one with decorrelated jitter', () => {
    fc.assert(
      fc.property(options, fc.array(chance, { minLength: 1, maxLength: 20 }), (given, lucks) => {
        let luck = 0
        const backoff = createBackoff({ ...given, jitter: 'decorrelated', random: () => luck })
        let previous = 0
        for (const [index, value] of lucks.entries()) {
          luck = value
          const delay = backoff.delay(index + 1, previous)
          const longest = Math.max(given.initial, (previous || given.initial) * 3)
          expect(delay).toBeGreaterThanOrEqual(Math.max(1, Math.min(given.max, given.initial)))
          expect(delay).toBeLessThanOrEqual(Math.max(1, Math.min(given.max, longest)))
          previous = delay
        }
      }),
    )
  })

  it('reaches both ends of its range', () => {
    const luck = (value: number) => ({ initial: 100, max: 900, random: () => value }) as const
    expect(createBackoff(luck(0)).delay(3, 0)).toBe(1)
    expect(createBackoff(luck(1 - Number.EPSILON)).delay(3, 0)).toBeCloseTo(400)
    expect(createBackoff({ ...luck(0), jitter: 'decorrelated' }).delay(3, 300)).toBe(100)
    expect(
      createBackoff({ ...luck(1 - Number.EPSILON), jitter: 'decorrelated' }).delay(3, 250),
    ).toBeCloseTo(750)
  })

  it('refuses options that no timer can keep, and says which', () => {
    expect(() => createBackoff({ initial: -1 })).toThrow(
      'initial must be a number from 0 to 2147483647, but is -1.',
    )
    expect(() => createBackoff({ max: Number.POSITIVE_INFINITY })).toThrow(RangeError)
    expect(() => createBackoff({ multiplier: 0.5 })).toThrow(RangeError)
    expect(() => createBackoff({ multiplier: Number.NaN })).toThrow(RangeError)
  })
})
