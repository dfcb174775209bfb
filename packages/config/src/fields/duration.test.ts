import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { duration, formatDuration } from './duration.ts'

describe('duration', () => {
  it.each([
    ['30s', 30_000],
    ['200ms', 200],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['1.1s', 1100],
    ['7d', 604_800_000],
    [' 2 M ', 120_000],
    ['0s', 0],
    ['0', 0],
    ['250', 250],
    [250, 250],
  ])('reads %j', (written, ms) => {
    expect(duration().parse(written)).toBe(ms)
  })

  it.each([
    '',
    'abc',
    '-5s',
    '5 parsecs',
    '5m5m',
    '1e3s',
    'Infinity',
    '0.0001ms',
    '99999999999999999d',
    `${'1s'.repeat(99)}`,
  ])('refuses %j', (written) => {
    const result = duration().safeParse(written)
    expect(result.error?.issues[0]?.message).toBe('expected a duration such as 30s')
  })

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], [1.5], [true], [null], [[]], [{}]])(
    'refuses the native value %j',
    (written) => {
      expect(duration().safeParse(written).success).toBe(false)
    },
  )

  it('counts plain numbers in the unit that was chosen', () => {
    expect(duration({ unit: 's' }).parse(10)).toBe(10_000)
    expect(duration({ unit: 's' }).parse('10')).toBe(10_000)
    expect(duration({ unit: 's' }).parse('10ms')).toBe(10)
  })

  it('names its bounds', () => {
    const bounded = duration({ min: 1000, max: 60_000 })
    expect(bounded.safeParse('1s').success).toBe(true)
    expect(bounded.safeParse('2m').error?.issues[0]?.message).toBe(
      'expected a duration such as 30s of at least 1s and at most 1m',
    )
  })

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(duration().parse(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})
