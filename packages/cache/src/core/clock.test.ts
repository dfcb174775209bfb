import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Clock } from './clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function counting(exact: boolean) {
  const looks = { count: 0 }
  const now = () => {
    looks.count += 1
    return Date.now()
  }
  return { clock: new Clock(now, exact), looks }
}

/** What a reading gives. */
function timeOf(clock: Clock): number {
  clock.tick()
  return clock.ms
}

describe('Clock', () => {
  it('looks each time while it is read slowly, and sets no timer', () => {
    const { clock } = counting(false)
    for (let i = 0; i < 1_000; i++) {
      vi.advanceTimersByTime(2)
      expect(timeOf(clock)).toBe(Date.now())
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets fast readings share a look, until the event loop turns', () => {
    const { clock, looks } = counting(false)
    for (let i = 0; i < 10_000; i++) clock.tick()
    expect(looks.count).toBeLessThan(500)
    vi.advanceTimersByTime(5)
    expect(timeOf(clock)).toBe(Date.now())
  })

  it('never shares one among more than 64, though the event loop stands still', () => {
    const { clock } = counting(false)
    for (let i = 0; i < 10_000; i++) clock.tick()
    vi.setSystemTime(Date.now() + 3_600_000)
    for (let i = 0; i < 64; i++) clock.tick()
    expect(timeOf(clock)).toBe(Date.now())
  })

  it('is exact where the clock is somebody’s own', () => {
    const { clock, looks } = counting(true)
    for (let i = 0; i < 1_000; i++) clock.tick()
    expect(looks.count).toBe(1_001)
  })

  it('tells in ticks that a time is still to come, never too late', () => {
    const { clock } = counting(true)
    for (let i = 0; i < 500; i++) {
      const until = Date.now() + i
      if (clock.tick() < clock.tickOf(until)) expect(Date.now()).toBeLessThan(until)
      vi.advanceTimersByTime(7)
    }
    expect(clock.tick()).toBeLessThan(clock.tickOf(Date.now() + 128))
    expect(clock.tickOf(Number.MAX_SAFE_INTEGER)).toBe(2 ** 30 - 1)
    expect(clock.tickOf(Number.MIN_SAFE_INTEGER)).toBe(1 - 2 ** 30)
  })
})
