import { describe, expect, it } from 'vitest'
import { Distribution } from '../metrics/distribution.ts'
import { createWindow } from './window.ts'

function clocked() {
  let time = 1_000_000
  let total = 0
  const window = createWindow({
    read: () => new Map([['a', total]]),
    windowMs: 60_000,
    stepMs: 10_000,
    now: () => time,
  })
  return {
    window,
    /** Time passes in seconds, with so many events in each and a tick after it. */
    pass(seconds: number, each: number) {
      for (let i = 0; i < seconds; i++) {
        time += 1_000
        total += each
        window.tick()
      }
    },
    back(ms: number) {
      time -= ms
    },
  }
}

describe('createWindow', () => {
  it('tells what the last minute brought', () => {
    const { window, pass } = clocked()
    pass(300, 10)
    expect(window.recent().perMinute('a')).toBe(600)
    pass(60, 0)
    expect(window.recent().values.get('a')).toBe(0)
  })

  it('does not extrapolate what a young process has seen', () => {
    const { window, pass } = clocked()
    pass(5, 2)
    const { elapsedMs, perMinute } = window.recent()
    expect([elapsedMs, perMinute('a'), perMinute('b')]).toEqual([5_000, 10, 0])
  })

  it('is a step longer at most while it is ticked, and as long as nobody ticked otherwise', () => {
    const { window, pass } = clocked()
    pass(127, 1)
    const { elapsedMs, values, perMinute } = window.recent()
    expect(elapsedMs).toBe(67_000)
    expect(values.get('a')).toBe(67)
    expect(perMinute('a')).toBe(60)
  })

  it('begins anew when the clock goes back', () => {
    const { window, pass, back } = clocked()
    pass(100, 1)
    back(50_000)
    expect(window.recent()).toMatchObject({ elapsedMs: 0 })
    pass(10, 3)
    expect(window.recent().perMinute('a')).toBe(30)
  })

  it('keeps few readings, however often it is ticked', () => {
    let reads = 0
    let time = 0
    const read = () => {
      reads++
      return new Map<string, number>()
    }
    const window = createWindow({ read, now: () => time })
    for (let i = 0; i < 60_000; i++) {
      time += 1
      window.tick()
    }
    expect(reads).toBe(13)
  })

  it('subtracts distributions, and knows keys that are new', () => {
    let time = 0
    const a = new Distribution()
    const b = new Distribution()
    const read = () =>
      new Map([['a', a.copy()], ...(b.count > 0 ? [['b', b.copy()] as const] : [])])
    const window = createWindow({ read, windowMs: 1_000, now: () => time })
    for (let i = 0; i < 100; i++) a.record(1)
    time = 2_000
    window.tick()
    for (let i = 0; i < 10; i++) a.record(50)
    b.record(7)
    time = 3_000
    const { values, perMinute } = window.recent()
    expect(values.get('a')).toMatchObject({ count: 10, sum: 500 })
    expect(values.get('a')?.quantile(0.01)).toBeGreaterThan(48)
    expect(values.get('b')).toMatchObject({ count: 1, sum: 7 })
    expect(perMinute('a')).toBe(600)
  })

  it('refuses a window that is none', () => {
    const read = () => new Map<string, number>()
    for (const wrong of [{ windowMs: 0 }, { windowMs: 10, stepMs: 11 }, { stepMs: Number.NaN }]) {
      expect(() => createWindow({ read, ...wrong })).toThrow('A window needs windowMs above 0')
    }
  })
})
