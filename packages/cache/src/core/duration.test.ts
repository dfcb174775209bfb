import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    [0, 0],
    [1.5, 1.5],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('reads %j', (duration, ms) => {
    expect(parseDuration('ttl', duration)).toBe(ms)
  })

  it.each([
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2 ** 43],
    [''],
    ['5'],
    ['5 m'],
    ['-5s'],
    ['1e3s'],
    ['9'.repeat(400)],
    [null],
    [{}],
  ])('turns %j down, and says what it may be', (duration) => {
    expect(() => parseDuration('ttl', duration as number)).toThrow(/^ttl is .*30s/)
  })
})
