import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Countdown, type Phase } from './countdown.ts'

const limits = { firstByte: 500, idle: 200, write: 1000 }

/** Timers fire when the test says so; the clock shows what the test sets. */
let now = 0
const expired: (Phase | 'deadline')[] = []

beforeEach(() => {
  now = 0
  expired.length = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function countdown(deadlineAt = Number.POSITIVE_INFINITY): Countdown {
  return new Countdown(limits, deadlineAt, { expired: (limit) => expired.push(limit) })
}

/** Lets `ms` pass; timers that come due in between fire `late` milliseconds late. */
function pass(ms: number, late = 0): void {
  now += ms + late
  vi.advanceTimersByTime(ms)
}

describe('Countdown', () => {
  it('sets no timer for a time that has passed, of which Node would warn', () => {
    const spy = vi.spyOn(globalThis, 'setTimeout')
    const late = countdown(10)
    now = 40
    late.start('firstByte', now)
    expect(spy.mock.calls.map(([, ms]) => ms)).toEqual([0])
    vi.advanceTimersByTime(1)
    expect(expired).toEqual(['deadline'])
  })

  it('tells of the limit that ran out', () => {
    countdown().start('firstByte', now)
    pass(499)
    expect(expired).toEqual([])
    pass(1)
    expect(expired).toEqual(['firstByte'])
  })

  it('begins a wait anew with whatever comes', () => {
    const watch = countdown()
    watch.start('idle', now)
    pass(150)
    watch.restart(now)
    pass(150)
    expect(expired).toEqual([])
    pass(50)
    expect(expired).toEqual(['idle'])
  })

  it('puts the deadline before every other limit', () => {
    countdown(300).start('firstByte', now)
    pass(300)
    expect(expired).toEqual(['deadline'])
  })

  it('gives a limit that ran out while we stood still a little longer, once', () => {
    countdown().start('firstByte', now)
    pass(500, 400)
    expect(expired).toEqual([])
    pass(50, 400)
    expect(expired).toEqual(['firstByte'])
  })

  it('does not give the deadline longer', () => {
    countdown(300).start('firstByte', now)
    pass(300, 400)
    expect(expired).toEqual(['deadline'])
  })
})
