import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatRate, rate } from './rate.ts'

describe('rate', () => {
  it.each([
    ['100/1m', { amount: 100, windowMs: 60_000 }],
    ['40k/1m', { amount: 40_000, windowMs: 60_000 }],
    ['1.5m / 1h', { amount: 1_500_000, windowMs: 3_600_000 }],
    ['5/s', { amount: 5, windowMs: 1000 }],
  ])('reads %j', (written, value) => {
    expect(rate().parse(written)).toEqual(value)
  })

  it.each(['', '100', '100/', '/1m', '0/1m', '100/60', '100/0s', '1.5/1m', 'x/1m', 100, null])(
    'refuses %j',
    (written) => {
      const result = rate().safeParse(written)
      expect(result.error?.issues[0]?.message).toBe('expected a rate such as 100/1m')
    },
  )

  it('reads back what formatRate writes', () => {
    const positive = fc.integer({ min: 1, max: 2 ** 40 })
    fc.assert(
      fc.property(positive, positive, (amount, windowMs) => {
        expect(rate().parse(formatRate({ amount, windowMs }))).toEqual({ amount, windowMs })
      }),
    )
  })
})
