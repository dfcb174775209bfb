import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Outage } from './outage.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function outage() {
  const told: string[] = []
  const state = { back: false, settled: true, tries: 0 }
  const one = new Outage({
    limitMs: 100,
    random: () => 0.5,
    async recover() {
      state.tries += 1
      if (!state.back) throw new Error('still away')
      state.settled = true
    },
    isSettled: () => state.settled,
    onError: (error) => told.push(String(error)),
    onAway: () => told.push('away'),
    onRecovered: () => told.push('recovered'),
  })
  return { one, told, state }
}

const fails = () => Promise.reject(new Error('refused'))

describe('Outage', () => {
  it('begins with one failure, and tells of each', async () => {
    const { one, told } = outage()
    await expect(one.ask(async () => 1)).resolves.toBe(1)
    expect(one.up).toBe(true)
    await expect(one.ask(fails)).rejects.toThrow('refused')
    await expect(one.ask(fails)).rejects.toThrow('refused')
    expect(one.up).toBe(false)
    expect(told).toEqual(['Error: refused', 'away', 'Error: refused'])
  })

  it('takes no answer in time for a failure', async () => {
    const { one } = outage()
    const asked = expect(one.ask(() => new Promise(() => {}))).rejects.toThrow('within 100 ms')
    await vi.advanceTimersByTimeAsync(100)
    await asked
    expect(one.up).toBe(false)
  })

  it('tries after a second, then after twice as long each time up to ten', async () => {
    const { one, state } = outage()
    await one.ask(fails).catch(() => undefined)
    const tries = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms)
      return state.tries
    }
    expect(await tries(999)).toBe(0)
    expect(await tries(1)).toBe(1)
    expect(await tries(2_000)).toBe(2)
    expect(await tries(4_000)).toBe(3)
    expect(await tries(8_000)).toBe(4)
    expect(await tries(10_000)).toBe(5)
    state.back = true
    expect(await tries(10_000)).toBe(6)
    expect(one.up).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('isn’t over before nothing is left to be done', async () => {
    const { one, state, told } = outage()
    await one.ask(fails).catch(() => undefined)
    state.back = true
    state.settled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(state.tries).toBe(1)
    expect(told.at(-1)).toBe('recovered')
  })

  it('tries no more once it is closed', async () => {
    const { one, state } = outage()
    await one.ask(fails).catch(() => undefined)
    one.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state.tries).toBe(0)
    expect(one.up).toBe(false)
  })
})
