import { describe, expect, it } from 'vitest'
import { NOBODY } from './model-cache.fixture.ts'
import { Prediction, type PredictionSettings } from './prediction.ts'

interface Ask {
  readonly key: string
  readonly resolve: (value?: unknown) => void
  readonly reject: (error: unknown) => void
}

function predicting(settings: PredictionSettings = {}) {
  const present = new Set<string>()
  const asks: Ask[] = []
  const clock = { now: 0 }
  const fetcher = {
    has: (key: string) => present.has(key),
    fetch: (key: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const stored = (value: unknown = key) => {
        if (value !== null) present.add(key)
        resolve(value ?? undefined)
      }
      asks.push({ key, resolve: stored, reject })
      return promise
    },
  }
  const prediction: Prediction = new Prediction(settings, fetcher, () => clock.now)
  const access = (...keys: readonly string[]) => {
    for (const key of keys) prediction.accessed(key, present.has(key), NOBODY)
  }
  /** `a`, then `b`, three times, so that `b` is expected after `a`. */
  const teach = () => access('a', 'b', 'a', 'b', 'a', 'b')
  return { prediction, present, asks, clock, access, teach }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('Prediction', () => {
  it('fetches what is likely to be next, and counts the hit it gained', async () => {
    const { prediction, asks, present, access, teach } = predicting()
    present.add('a')
    teach()
    access('a')
    expect(asks.map(({ key }) => key)).toEqual(['b'])
    asks[0]?.resolve()
    await settled()
    access('b')
    const { used, gain, accesses, prefetched } = prediction.stats
    expect({ used, gain, accesses, prefetched }).toEqual({
      used: 1,
      gain: 1 / 8,
      accesses: 8,
      prefetched: 1,
    })
  })

  it('fetches nothing that is there, or being fetched', () => {
    const { asks, present, access, teach } = predicting()
    teach()
    present.add('b')
    access('a')
    expect(asks).toEqual([])
    present.delete('b')
    access('a', 'a')
    expect(asks).toHaveLength(1)
  })

  it('counts what failed, and goes on', async () => {
    const { prediction, asks, access, teach } = predicting()
    teach()
    access('a')
    asks[0]?.reject(new Error('no answer'))
    await settled()
    expect(prediction.stats).toMatchObject({ failed: 1, pending: 0, waste: 0 })
    access('a')
    expect(asks).toHaveLength(2)
  })

  it("doesn't wait for what there is no value of", async () => {
    const { prediction, asks, access, teach } = predicting()
    teach()
    access('a')
    asks[0]?.resolve(null)
    await settled()
    expect(prediction.stats).toMatchObject({ failed: 1, pending: 0 })
  })

  it('counts what nobody asked for within the time as waste', async () => {
    const { prediction, asks, clock, access, teach } = predicting({ withinMs: 1_000 })
    teach()
    access('a')
    asks[0]?.resolve()
    await settled()
    clock.now = 1_000
    expect(prediction.stats).toMatchObject({ wasted: 1, waste: 1, gain: 0, pending: 0 })
  })

  it('keeps callers apart', () => {
    let caller: string | undefined
    const { prediction, access } = predicting({ caller: () => caller })
    for (let i = 0; i < 3; i++) {
      caller = 'ada'
      access('a')
      caller = 'eve'
      access('x')
      caller = 'ada'
      access('b')
    }
    expect(prediction.suggest('a').map(({ key }) => key)).toEqual(['b'])
  })

  it("doesn't take an access long after for the next one", () => {
    const { prediction, access, clock } = predicting({ withinMs: 100 })
    for (let i = 0; i < 5; i++) {
      access('a')
      clock.now += 101
      access('b')
      clock.now += 101
    }
    expect(prediction.suggest('a')).toEqual([])
  })

  it('keeps to its calls per minute', () => {
    const { asks, access } = predicting({ callsPerMinute: 6 })
    for (let i = 0; i < 3; i++) for (let n = 0; n < 20; n++) access(`${n}`)
    for (let n = 0; n < 20; n++) access(`${n}`)
    expect(asks).toHaveLength(1)
  })

  it('stops for a while when too much was wasted, and then tries again', async () => {
    const { prediction, asks, clock, access } = predicting({
      callsPerMinute: 6_000,
      withinMs: 1_000,
      pauseMs: 60_000,
    })
    const begin = () => {
      for (let n = 0; n < 16; n++) {
        access(`begin-${n}`)
        clock.now += 2_000
      }
    }
    for (let n = 0; n < 16; n++) {
      for (let i = 0; i < 3; i++) access(`begin-${n}`, `next-${n}`)
      clock.now += 2_000
    }
    asks.length = 0
    begin()
    expect(asks).toHaveLength(16)
    access('begin-0')
    const { pausedUntil } = prediction.stats
    expect(pausedUntil).toBe(clock.now + 60_000)
    begin()
    expect(asks).toHaveLength(16)
    clock.now += 60_000
    access('begin-0')
    expect(prediction.stats.pausedUntil).toBeUndefined()
    expect(asks).toHaveLength(17)
  })
})
