import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration } from './duration.ts'

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

function parse(text: string): number {
  expect(text).toMatch(/^(\d+h)?(\d+m)?(\d+(\.\d+)?s|\d+ms)$/)
  const parts = [...text.matchAll(/([\d.]+)(h|ms|m|s)/g)]
  return Math.round(
    parts.reduce((sum, [, n, unit = '']) => sum + Number(n) * (UNITS[unit] ?? 0), 0),
  )
}

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [17, '17ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_500, '1.5s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [90_250, '1m30.25s'],
    [3_600_000, '1h0m0s'],
    [86_400_000, '24h0m0s'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('loses nothing', () => {
    fc.assert(fc.property(fc.nat({ max: 2 ** 42 }), (ms) => parse(formatDuration(ms)) === ms))
  })
})
