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

describe('Clock', () => {
  it('looks each time while it is read slowly, and sets no timer', () => {
    const { clock } = counting(false)
    for (let i = 0; i < 1_000; i++) {
      vi.advanceTimersByTime(2)
      expect(clock.read()).toBe(Date.now())
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets fast readings share a look, until the event loop turns', () => {
    const { clock, looks } = counting(false)
    for (let i = 0; i < 10_000; i++) clock.read()
    expect(looks.count).toBeLessThan(500)
    vi.advanceTimersByTime(5)
    expect(clock.read()).toBe(Date.now())
  })

  it('never shares one among more than 64, though the event loop stands still', () => {
    const { clock } = counting(false)
    for (let i = 0; i < 10_000; i++) clock.read()
    vi.setSystemTime(Date.now() + 3_600_000)
    for (let i = 0; i < 64; i++) clock.read()
    expect(clock.read()).toBe(Date.now())
  })

  it('is exact where the clock is somebody’s own', () => {
    const { clock, looks } = counting(true)
    for (let i = 0; i < 1_000; i++) clock.read()
    expect(looks.count).toBe(1_000)
  })
})
