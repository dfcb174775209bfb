import { describe, expect, it } from 'vitest'
import { Breaker } from './breaker.ts'

function setUp(random = 0.5) {
  let clock = 5_000
  const breaker = new Breaker(500, { monotonic: () => clock, random: () => random })
  const wait = (ms: number) => {
    clock += ms
  }
  return { breaker, wait }
}

describe('Breaker', () => {
  it('opens for a second, then for twice as long each time, up to ten', () => {
    const { breaker, wait } = setUp()
    const waits: number[] = []
    for (let failures = 0; failures < 6; failures += 1) {
      breaker.open()
      waits.push(breaker.retryInMs)
      wait(breaker.retryInMs - 1)
      expect(breaker.startProbe()).toBe(false)
      wait(1)
      expect(breaker.startProbe()).toBe(true)
      wait(20)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  it('lets one probe at a time', () => {
    const { breaker, wait } = setUp()
    breaker.open()
    wait(60_000)
    expect([breaker.startProbe(), breaker.startProbe()]).toEqual([true, false])
    expect(breaker.retryInMs).toBe(500)
    breaker.close()
    expect([breaker.closed, breaker.startProbe()]).toEqual([true, false])
  })

  it('spreads processes that failed together', () => {
    const waits = [0, 0.25, 0.999].map((random) => {
      const { breaker } = setUp(random)
      breaker.open()
      return breaker.retryInMs
    })
    expect(waits).toEqual([800, 900, 1_200])
  })

  it('leaves a store alone for longer that fails again soon, and forgets that later', () => {
    const { breaker, wait } = setUp()
    breaker.open()
    breaker.close()
    wait(9_000)
    breaker.open()
    expect(breaker.retryInMs).toBe(2_000)
    breaker.close()
    wait(10_001)
    breaker.open()
    expect(breaker.retryInMs).toBe(1_000)
  })
})
