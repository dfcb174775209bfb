import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Countdown } from './countdown.ts'

const FOREVER = Number.POSITIVE_INFINITY
const now = () => performance.now()
const expired = vi.fn()
const countdownUntil = (deadlineAt: number) => new Countdown(now, deadlineAt, { expired })

beforeEach(() => {
  vi.useFakeTimers()
  expired.mockReset()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('Countdown', () => {
  it('tells which wait has lasted too long', () => {
    const countdown = countdownUntil(FOREVER)
    countdown.start('firstByte', 100, now())
    vi.advanceTimersByTime(99)
    expect(expired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(expired.mock.calls).toEqual([['firstByte']])
    expect(countdown.limitMs).toBe(100)
  })

  it('begins anew with whatever comes, without a timer for each', () => {
    const countdown = countdownUntil(FOREVER)
    const set = vi.spyOn(globalThis, 'setTimeout')
    countdown.start('body', 100, now())
    for (let chunk = 0; chunk < 50; chunk++) {
      vi.advanceTimersByTime(10)
      countdown.restart(now())
    }
    expect(set.mock.calls.length).toBeLessThan(8)
    vi.advanceTimersByTime(99)
    expect(expired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(expired.mock.calls).toEqual([['body']])
  })

  it('ends with the deadline, whatever is waited for', () => {
    const countdown = countdownUntil(now() + 150)
    countdown.start('connection', FOREVER, now())
    vi.advanceTimersByTime(100)
    countdown.start('body', 100, now())
    vi.advanceTimersByTime(51)
    expect(expired.mock.calls).toEqual([['total']])
  })

  it('takes an earlier end as soon as it is known', () => {
    const countdown = countdownUntil(now() + 10_000)
    countdown.start('firstByte', 5_000, now())
    countdown.start('errorBody', 10, now())
    vi.advanceTimersByTime(11)
    expect(expired.mock.calls).toEqual([['errorBody']])
  })

  it('lets a reader take its time once the deadline is dropped', () => {
    const countdown = countdownUntil(now() + 50)
    countdown.start('reader', FOREVER, now())
    countdown.dropDeadline()
    vi.advanceTimersByTime(1_000_000)
    expect(expired).not.toHaveBeenCalled()
    countdown.start('body', 10, now())
    vi.advanceTimersByTime(11)
    expect(expired.mock.calls).toEqual([['body']])
  })

  it('starts no timer when nothing has a limit, and none after its end', () => {
    const countdown = countdownUntil(FOREVER)
    countdown.start('body', FOREVER, now())
    expect(vi.getTimerCount()).toBe(0)
    countdown.start('body', 10, now())
    countdown.stop()
    vi.advanceTimersByTime(100)
    expect(expired).not.toHaveBeenCalled()
  })

  it('looks once more after a standstill, as what has arrived is read only then', () => {
    const countdown = countdownUntil(FOREVER)
    countdown.start('body', 100, now())
    vi.advanceTimersToNextTimer()
    // Here the sockets are read.
    countdown.restart(now())
    vi.advanceTimersByTime(99)
    expect(expired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(expired).toHaveBeenCalledTimes(1)
  })

  it('keeps limits longer than a timer can be', () => {
    const countdown = countdownUntil(FOREVER)
    const limitMs = 2 ** 31 + 1_000
    countdown.start('body', limitMs, now())
    vi.advanceTimersByTime(2 ** 31 - 1)
    expect(expired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_002)
    expect(expired.mock.calls).toEqual([['body']])
  })
})
