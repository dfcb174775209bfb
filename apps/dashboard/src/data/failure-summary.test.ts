import { describe, expect, it } from 'vitest'
import { commonest, stepInWords, timelineEnd, timelineShares } from './failure-summary.ts'
import { readFailures } from './incidents.ts'

const failuresOf = (...codes: readonly string[]) =>
  readFailures({ failures: codes.map((code) => ({ code })) })

const [{ timeline = [] } = {}] = readFailures({
  failures: [
    {
      timeline: [
        { kind: 'failure', at: 0, ms: 50, attempt: 1 },
        { kind: 'wait', at: 50, ms: 25 },
        { kind: 'rejected', at: 75, attempt: 2 },
        { kind: '__proto__', at: 75 },
      ],
    },
  ],
})

describe('commonest', () => {
  it('names what most of them are', () => {
    expect(commonest([])).toBeUndefined()
    expect(commonest(failuresOf('a'))).toBe('1 failure')
    expect(commonest(failuresOf('a_b', 'a_b'))).toBe('2 failures, all a b')
    expect(commonest(failuresOf('a', 'b', 'a'))).toBe('3 failures, mostly a')
    expect(commonest(failuresOf('a', 'b'))).toBe('2 failures')
  })
})

describe('a timeline', () => {
  it('is told in words, also where a step is none that is known', () => {
    expect(timeline.map(stepInWords)).toEqual([
      'Attempt 1 failed after 50 ms',
      'Waited for 25 ms',
      'Attempt 2 was refused',
      ' proto ',
    ])
  })

  it('is drawn in shares of the call, none of them invisible', () => {
    const end = timelineEnd(timeline, 100)
    expect(end).toBe(100)
    expect(timelineEnd(timeline, null)).toBe(75)
    const shares = timeline.map((step) => timelineShares(step, end))
    expect(shares.slice(0, 2)).toEqual([
      { from: 0, width: 50 },
      { from: 50, width: 25 },
    ])
    for (const { from, width } of timeline.map((step) => timelineShares(step, 0))) {
      expect(from + width).toBeLessThanOrEqual(100)
      expect(width).toBeGreaterThan(0)
    }
  })
})
