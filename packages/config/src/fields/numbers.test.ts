import { describe, expect, it } from 'vitest'
import { integer, percent, port } from './numbers.ts'

describe('integer', () => {
  it('takes numbers and text', () => {
    expect([5, '5', ' +5 ', '-5'].map((written) => integer().parse(written))).toEqual([5, 5, 5, -5])
  })

  it.each(['', '5.0', '0x10', '1e3', 'five', 1.5, 2 ** 60, '99999999999999999999', true, null])(
    'refuses %j',
    (written) => {
      expect(integer().safeParse(written).success).toBe(false)
    },
  )

  it('names its bounds', () => {
    const message = (options: { min?: number; max?: number }) =>
      integer(options).safeParse('x').error?.issues[0]?.message
    expect(message({ min: 1, max: 9 })).toBe('expected a whole number from 1 to 9')
    expect(message({ min: 1 })).toBe('expected a whole number of at least 1')
    expect(message({ max: 9 })).toBe('expected a whole number of at most 9')
    expect(integer({ min: 1, max: 9 }).safeParse('10').success).toBe(false)
  })
})

describe('port', () => {
  it('takes 0 to 65535', () => {
    expect([0, '8000', 65_535].map((written) => port().parse(written))).toEqual([0, 8000, 65_535])
    expect(port().safeParse(65_536).error?.issues[0]?.message).toBe(
      'expected a port from 0 to 65535',
    )
    expect(port().safeParse(-1).success).toBe(false)
  })
})

describe('percent', () => {
  it.each([
    ['5%', 0.05],
    ['100%', 1],
    ['0.5 %', 0.005],
    ['0.05', 0.05],
    [0.05, 0.05],
    [0, 0],
    [1, 1],
  ])('reads %j', (written, fraction) => {
    expect(percent().parse(written)).toBeCloseTo(fraction, 12)
  })

  it.each(['', '101%', '-1%', 5, '5', '%', true, 1e-9])('refuses %j', (written) => {
    expect(percent().safeParse(written).success).toBe(false)
  })
})
