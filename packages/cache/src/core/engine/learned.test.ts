import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Cache } from '../cache.ts'
import { createCache } from '../create-cache.ts'
import { memoryDriver } from '../memory-driver.ts'
import type { CacheOptions } from '../options.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))
const counted = { popular: { every: 1 } }

function ask(cache: Cache, ...keys: readonly string[]): Promise<unknown> {
  return Promise.all(keys.map((key) => cache.getOrSet(key, () => key)))
}

afterEach(() => void vi.useRealTimers())

describe('popular', () => {
  it('tells which entries are asked for most, whichever way', async () => {
    const cache = createCache(counted)
    await cache.set('a', 1)
    await ask(cache, 'b', 'b')
    await cache.get('a')
    cache.peek('a')
    await cache.getMany(['a', 'c'])
    await cache.has('c')
    expect(await cache.popular(2)).toEqual([
      { key: 'a', score: expect.closeTo(3) },
      { key: 'b', score: expect.closeTo(2) },
    ])
  })

  it('is empty where it was not asked for', async () => {
    const cache = createCache()
    await ask(cache, 'a')
    expect(await cache.popular()).toEqual([])
  })

  it('tells a namespace its own', async () => {
    const cache = createCache(counted)
    const users = cache.namespace('users')
    await ask(users, 'ada', 'ada')
    await ask(cache, 'a')
    expect((await users.popular()).map(({ key }) => key)).toEqual(['ada'])
    expect((await cache.popular()).map(({ key }) => key)).toEqual(['users:ada', 'a'])
  })

  it('survives a restart in the second tier, so that the next process can warm up', async () => {
    const l2 = memoryDriver()
    const before = createCache({ ...counted, l2 })
    await ask(before, 'a', 'a', 'b')
    await before.close()
    const after = createCache({ ...counted, l2 })
    await ask(after, 'b', 'b', 'b')
    expect((await after.popular()).map(({ key }) => key)).toEqual(['b', 'a'])
    await after.close()
  })

  it('is written every minute in which something was counted', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const l2 = memoryDriver()
    const write = vi.spyOn(l2, 'write')
    const cache = createCache({ ...counted, l2 })
    cache.peek('a')
    const minute = async () => {
      vi.advanceTimersByTime(60_000)
      for (let i = 0; i < 5; i++) await settled()
    }
    await minute()
    expect(write).toHaveBeenCalledTimes(1)
    await minute()
    expect(write).toHaveBeenCalledTimes(1)
    await cache.close()
  })

  it('leaves no trace of its record in memory or in the statistics', async () => {
    const cache = createCache({ ...counted, l2: memoryDriver() })
    cache.peek('a')
    await cache.popular()
    expect(cache.stats()).toMatchObject({ entries: 0, misses: 0, l2Hits: 0 })
    await cache.close()
  })

  it('refuses what it cannot count by', () => {
    for (const popular of [{ size: 0 }, { every: 0.5 }, { halfLifeMs: -1 }]) {
      expect(() => createCache({ popular })).toThrow(/^popular\..* whole number from 1/)
    }
  })
})

describe('prediction', () => {
  function predicting(options: Partial<CacheOptions['prediction']> = {}) {
    const loaded: string[] = []
    const load = (key: string) => {
      loaded.push(key)
      return key === 'unknown' ? undefined : `${key}, foreseen`
    }
    let now = 1_000_000
    const prediction = { load, ...options }
    const cache = createCache({ prediction, now: () => now, ttl: 1_000, jitter: 0 })
    const later = (ms: number) => {
      now += ms
    }
    /** One after another, and again when all that was stored is over. */
    const teach = async (by: Cache, ...keys: readonly string[]) => {
      for (let i = 0; i < 3; i++) {
        for (const key of keys) await ask(by, key)
        later(2_000)
      }
      loaded.length = 0
    }
    return { cache, loaded, later, teach }
  }

  it('has the next entry there before it is asked for', async () => {
    const { cache, loaded, teach } = predicting()
    await teach(cache, 'a', 'b')
    await ask(cache, 'a')
    await settled()
    expect(loaded).toEqual(['b'])
    expect(cache.peek('b')).toBe('b, foreseen')
    expect(cache.stats().prediction).toMatchObject({ used: 1, prefetched: 1, late: 0 })
  })

  it('counts what it reads apart from what callers read', async () => {
    const { cache, teach } = predicting()
    await teach(cache, 'a', 'b')
    const before = cache.stats()
    await ask(cache, 'a')
    await settled()
    const { misses, factories, prediction } = cache.stats()
    expect([misses - before.misses, factories - before.factories]).toEqual([1, 1])
    expect(prediction?.accesses).toBe(7)
  })

  it('stores in the namespace in which it was asked for', async () => {
    const { cache, loaded, teach } = predicting()
    const users = cache.namespace('users')
    await teach(users, 'a', 'b')
    await ask(users, 'a')
    await settled()
    expect(loaded).toEqual(['users:b'])
    expect(users.peek('b')).toBe('users:b, foreseen')
    await users.clear()
    expect(users.peek('b')).toBeUndefined()
  })

  it('is harmless when nothing can be made', async () => {
    const failing = predicting({ load: () => Promise.reject(new Error('no answer')) })
    await failing.teach(failing.cache, 'a', 'b')
    await ask(failing.cache, 'a')
    await settled()
    expect(failing.cache.stats().prediction).toMatchObject({ failed: 1, pending: 0 })
    const nothing = predicting()
    await nothing.teach(nothing.cache, 'a', 'unknown')
    await ask(nothing.cache, 'a')
    await settled()
    expect(nothing.cache.stats().prediction).toMatchObject({ failed: 1, pending: 0 })
  })

  it('stores with its own options', async () => {
    const { cache, teach } = predicting({ options: { tags: ['foreseen'] } })
    await teach(cache, 'a', 'b')
    await ask(cache, 'a')
    await settled()
    expect(cache.peekEntry('b')?.tags).toEqual(['foreseen'])
  })

  it('works beside popular', async () => {
    const load = (key: string) => key
    const cache = createCache({ popular: { every: 1 }, prediction: { load } })
    await ask(cache, 'a', 'b')
    expect(cache.stats().prediction?.accesses).toBe(2)
    expect(await cache.popular()).toHaveLength(2)
  })

  it('is absent where it was not asked for', () => {
    expect(createCache().stats().prediction).toBeUndefined()
  })

  it('refuses options that are none', () => {
    const load = () => 1
    for (const prediction of [
      { load, confidence: 2 },
      { load, callsPerMinute: 0.5 },
      { load, withinMs: 0 },
      { load: undefined as unknown as () => void },
      { load, caller: 'ada' as unknown as () => string },
    ]) {
      expect(() => createCache({ prediction })).toThrow(/^prediction\./)
    }
  })
})
