import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'

const now = Date.UTC(2026, 10, 21, 10, 0, 0)
const after = (value: string | string[] | undefined) =>
  parseRetryAfter({ 'retry-after': value }, now)

describe('parseRetryAfter', () => {
  it('reads seconds, also with decimals', () => {
    expect(after('120')).toBe(120_000)
    expect(after('0')).toBe(0)
    expect(after(' 1.1 ')).toBe(1_100)
    expect(after(['7', '9'])).toBe(7_000)
  })

  it('reads all three forms of a date, whatever zone this machine is in', () => {
    expect(after('Sat, 21 Nov 2026 10:01:30 GMT')).toBe(90_000)
    expect(after('Saturday, 21-Nov-26 10:01:30 GMT')).toBe(90_000)
    expect(after('Sat Nov 21 10:01:30 2026')).toBe(90_000)
    expect(after('Tue Dec  1 10:00:00 2026')).toBe(10 * 86_400_000)
  })

  it('takes a date that has passed as now', () => {
    expect(after('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0)
  })

  it('prefers milliseconds when they are valid', () => {
    expect(parseRetryAfter({ 'retry-after': '1', 'retry-after-ms': '350' }, now)).toBe(350)
    expect(parseRetryAfter({ 'retry-after': '1', 'retry-after-ms': '12.6' }, now)).toBe(13)
    expect(parseRetryAfter({ 'retry-after': '1', 'retry-after-ms': '-5' }, now)).toBe(1_000)
    expect(parseRetryAfter({ 'retry-after-ms': '0' }, now)).toBe(0)
  })

  it('says nothing about what it cannot read', () => {
    const wrong = ['', ' ', '-1', '+1', '1e3', 'Infinity', 'NaN', '0x10', '1,5', 'soon', '1 s']
    const dates = ['2026-11-21T10:01:30Z', 'Sat, 99 Nov 2026 10:01:30 GMT', 'Sat, 21 Foo 2026']
    for (const value of [...wrong, ...dates]) {
      expect(after(value), value).toBeUndefined()
    }
    expect(after(undefined)).toBeUndefined()
    expect(after([])).toBeUndefined()
    expect(parseRetryAfter({}, now)).toBeUndefined()
  })

  it('gives a safe whole number or nothing, whatever it is sent', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,400}(\.\d{1,9})?$/))
    fc.assert(
      fc.property(text, text, (seconds, ms) => {
        const result = parseRetryAfter({ 'retry-after': seconds, 'retry-after-ms': ms }, now)
        expect(result === undefined || (Number.isSafeInteger(result) && result >= 0)).toBe(true)
      }),
    )
  })
})
