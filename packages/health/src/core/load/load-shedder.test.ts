import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLoadShedder, type LoadShedderOptions, type LoadState } from './load-shedder.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp(options: LoadShedderOptions = {}) {
  let reading = { delayMs: 0, utilization: 0 }
  const close = vi.fn()
  const shedder = createLoadShedder({
    maxDelay: '100ms',
    sampleEvery: '500ms',
    random: () => 0.5,
    source: { read: () => reading, close },
    ...options,
  })
  const sample = (delayMs: number, utilization = 0) => {
    reading = { delayMs, utilization }
    vi.advanceTimersByTime(500)
    return shedder.state
  }
  return { shedder, sample, close }
}

describe('createLoadShedder', () => {
  it('lets everything in below the limit', () => {
    const { shedder, sample } = setUp()
    sample(99)
    expect(shedder.decide()).toBeUndefined()
    expect(shedder.state).toMatchObject({ shedding: false, probability: 0, delayMs: 99, shed: 0 })
  })

  it('sheds the more, the higher the load, and never all', () => {
    const { sample } = setUp()
    const shares = [100, 120, 160, 200, 100_000].map((ms) => sample(ms).probability)
    expect(shares.map((share) => Math.round(share * 100))).toEqual([17, 33, 67, 95, 95])
  })

  it('says why, and when to come again', () => {
    const { shedder, sample } = setUp()
    sample(200)
    expect(shedder.decide()).toEqual({ reason: 'event_loop_delay', retryAfterMs: 2_000 })
    sample(1e9)
    expect(shedder.decide()?.retryAfterMs).toBe(30_000)
    expect(shedder.state.shed).toBe(2)
  })

  it('ends gradually, and below the limit at which it began', () => {
    const { sample } = setUp()
    expect(sample(150).shedding).toBe(true)
    expect(sample(90).shedding).toBe(true)
    expect(sample(90).shedding).toBe(true)
    const shares = [0, 0, 0].map(() => sample(0).probability)
    expect(shares.at(-1)).toBe(0)
    expect(sample(90).shedding).toBe(false)
  })

  it('looks at utilisation when told to', () => {
    expect(setUp().sample(0, 1).shedding).toBe(false)
    const { shedder, sample } = setUp({ maxUtilization: 0.9, random: () => 0.1 })
    expect(sample(0, 1).shedding).toBe(true)
    expect(shedder.decide()?.reason).toBe('event_loop_utilization')
  })

  it('sheds about the share it says', () => {
    let seed = 1
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const { shedder, sample } = setUp({ random })
    const { probability } = sample(140)
    const shed = Array.from({ length: 10_000 }, () => shedder.decide()).filter(Boolean).length
    expect(Math.abs(shed / 10_000 - probability)).toBeLessThan(0.02)
  })

  it('tells when it begins and when it has ended, and survives who is told', () => {
    const told: LoadState[] = []
    const { sample } = setUp({
      onChange(state) {
        told.push(state)
        throw new Error('observer')
      },
    })
    for (const ms of [50, 150, 150, 0, 0, 0, 0]) sample(ms)
    expect(told.map(({ shedding }) => shedding)).toEqual([true, false])
  })

  it('sheds nothing once closed, and leaves no timer', () => {
    const { shedder, sample, close } = setUp()
    sample(500)
    shedder.close()
    expect(shedder.decide()).toBeUndefined()
    expect(close).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('refuses what can’t be meant', () => {
    expect(() => createLoadShedder({ maxDelay: 0 })).toThrow(/maxDelay is 0/)
    expect(() => createLoadShedder({ maxUtilization: 98 })).toThrow(/maxUtilization is 98/)
    expect(() => createLoadShedder({ maxdelay: 1 } as never)).toThrow(/no option/)
  })
})
