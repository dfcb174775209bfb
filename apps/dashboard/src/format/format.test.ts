import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amount, bytes, dollars, percent, perSecond } from './number.ts'
import { shortName, words } from './text.ts'
import { clock, duration, span, tick, windowName } from './time.ts'

describe('amount', () => {
  it.each([
    [0, '0'],
    [0.004, '0.004'],
    [0.42, '0.42'],
    [7.5, '7.5'],
    [99.94, '99.9'],
    [99.96, '100'],
    [312.4, '312'],
    [999.4, '999'],
    [999.6, '1k'],
    [1_234, '1.23k'],
    [48_000_000, '48M'],
    [999_999, '1M'],
    [4_812_330_112, '4.81G'],
    [-1_500, '-1.5k'],
    [7e18, '7.0e18'],
  ])('tells %d as %s', (value, told) => {
    expect(amount(value)).toBe(told)
  })

  it('tells what is no figure as nothing', () => {
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY])
      expect(amount(value)).toBe('–')
    expect(perSecond(null)).toBe('–')
  })

  it('is short, whatever comes', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        for (const unit of [amount, percent, bytes, dollars, duration, span]) {
          expect(unit(value).length).toBeLessThanOrEqual(16)
          expect(unit(value)).not.toMatch(/NaN|Infinity|undefined/)
        }
      }),
    )
  })
})

describe('percent', () => {
  it.each([
    [0, '0 %'],
    [0.00001, '< 0.01 %'],
    [0.00028, '0.03 %'],
    [0.121, '12.1 %'],
    [0.99995, '> 99.99 %'],
    [1, '100 %'],
    [2e17, '2.0e19 %'],
  ])('tells %d as %s', (value, told) => {
    expect(percent(value)).toBe(told)
  })
})

describe('bytes and dollars', () => {
  it('are told in the unit that fits', () => {
    expect([0, 999, 1_500, 999_600, 212e6, 1e18].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.5 kB',
      '1 MB',
      '212 MB',
      '1k PB',
    ])
    expect([0, 0.00042, 12.5, 9_999.99, 18_422.7].map(dollars)).toEqual([
      '$0.00',
      '$0.00042',
      '$12.50',
      '$9999.99',
      '$18.4k',
    ])
  })
})

describe('duration and span', () => {
  it.each([
    [0, '0 ms'],
    [0.42, '0.4 ms'],
    [340.4, '340 ms'],
    [999.6, '1 s'],
    [2_540, '2.5 s'],
    [59_400, '59 s'],
    [200_000, '3 min 20 s'],
  ])('tell %d ms as %s', (ms, told) => {
    expect(duration(ms)).toBe(told)
  })

  it('tell long times in two units', () => {
    const minute = 60_000
    const times = [-5, 42_000, 3 * minute, 12.5 * minute, 125 * minute, 24 * 60 * minute, 4e14]
    expect(times.map(span)).toEqual([
      '0 s',
      '42 s',
      '3 min',
      '12 min',
      '2 h 5 min',
      '1 d',
      '4.63M d',
    ])
  })
})

describe('clock', () => {
  const now = new Date(2026, 4, 3, 23, 4, 10).getTime()

  it('tells the time here, and the date when it is another day', () => {
    expect(clock(now - 5_000, now)).toBe('23:04:05')
    expect(clock(now - 86_400_000, now)).toBe('2026-05-02 23:04:10')
    expect(clock(1e300, now)).toBe('–')
  })

  it('is short on an axis', () => {
    expect(tick(now, 60_000)).toBe('23:04:10')
    expect(tick(now, 300_000)).toBe('23:04')
    expect(tick(now, 7 * 86_400_000)).toBe('2026-05-03')
    expect([300_000, 3_600_000, 86_400_000].map(windowName)).toEqual([
      '5 minutes',
      'hour',
      '24 hours',
    ])
  })
})

describe('shortName', () => {
  it('keeps the beginning and the end of what is long', () => {
    expect(shortName('openai')).toBe('openai')
    expect(shortName('a'.repeat(50) + 'b'.repeat(50), 20)).toBe(
      `${'a'.repeat(13)}…${'b'.repeat(6)}`,
    )
  })

  it('shows what would hide or turn text, and what is empty', () => {
    expect(shortName('a\u202Eb\u0000c\u2028')).toBe('a\uFFFDb\uFFFDc\uFFFD')
    expect([shortName(''), shortName('  ')]).toEqual(['(empty)', '(empty)'])
    expect(words('first_byte-timeout')).toBe('first byte timeout')
  })

  it('never splits a letter', () => {
    expect(shortName('👩'.repeat(100), 10).replaceAll('👩', '')).toBe('…')
  })
})
