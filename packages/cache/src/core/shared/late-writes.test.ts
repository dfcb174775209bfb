import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../create-cache.ts'
import type { CacheBus, CacheDriver } from '../driver.ts'
import { memoryBus } from '../memory-bus.ts'
import { memoryDriver } from '../memory-driver.ts'

/** By the fake clock, which every test here moves on itself. */
const passed = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const LATER = 1_000

/** Two caches over one second tier; the first one's calls, and messages to it, take as long as is said. */
async function open() {
  const driver = memoryDriver()
  const bus = memoryBus()
  const takes = { read: 0, write: 0, message: 0 }
  const slow: CacheDriver = {
    ...methodsOf(driver),
    read: async (keys) => {
      const found = await driver.read(keys)
      if (takes.read > 0) await passed(takes.read)
      return found
    },
    write: async (writes) => {
      if (takes.write > 0) await passed(takes.write)
      return await driver.write(writes)
    },
  }
  const late: CacheBus = {
    subscribe: (listener) => bus.subscribe(listener),
    publish: async (message) => {
      if (takes.message === 0) await bus.publish(message)
      else setTimeout(() => void bus.publish(message), takes.message)
    },
  }
  const here = createCache({ l2: { driver: slow, softTimeout: 10 }, bus, jitter: 0 })
  const there = createCache({ l2: driver, bus: late, jitter: 0 })
  await vi.advanceTimersByTimeAsync(LATER)
  return { here, there, takes }
}

function methodsOf(driver: CacheDriver): CacheDriver {
  return {
    read: (keys) => driver.read(keys),
    write: (writes) => driver.write(writes),
    remove: (keys, markMs) => driver.remove(keys, markMs),
    keys: (match) => driver.keys(match),
    now: () => driver.now(),
    epochs: (tags) => driver.epochs(tags),
    know: (tags, ttlMs, seq) => driver.know(tags, ttlMs, seq),
    invalidate: (tag, ttlMs) => driver.invalidate(tag, ttlMs),
    lock: (key, token, ttlMs) => driver.lock(key, token, ttlMs),
    unlock: (key, token) => driver.unlock(key, token),
  }
}

describe('a value that comes late', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('loses to what was set while it was made, also when nobody had looked before', async () => {
    const { here, there, takes } = await open()
    const stale = { ttl: 0, stale: '1h' }
    await there.set('a', 'first', stale)
    // Both know the same point in the order of invalidations: it can't tell which is newer.
    await vi.advanceTimersByTimeAsync(10)
    await here.getEntry('a', { stale: true })
    takes.read = 50
    const made = here.getOrSet('a', () => passed(100).then(() => 'late'), { fresh: true })
    await vi.advanceTimersByTimeAsync(60)
    Object.assign(takes, { read: 0, message: 200 })
    await there.set('a', 'newer')
    await vi.advanceTimersByTimeAsync(LATER)
    await made
    expect(await there.get('a')).toBe('newer')
    expect(await here.get('a')).toBe('newer')
  })

  it('is not kept in memory when it was read while something newer was on its way', async () => {
    const { here, there, takes } = await open()
    await there.set('a', 'old')
    takes.write = 50
    const setting = here.set('a', 'new')
    // Word of a change before ours takes ours out of memory, and a reader finds what is still there.
    await there.set('a', 'old too')
    await vi.advanceTimersByTimeAsync(10)
    expect(await here.get('a')).toBe('old too')
    await vi.advanceTimersByTimeAsync(LATER)
    await setting
    expect(await here.get('a')).toBe('new')
    expect(await there.get('a')).toBe('new')
  })

  it('is not given to who asks after something newer, nor as a stale one', async () => {
    const { here, there, takes } = await open()
    await there.set('a', 'old', { ttl: 0, stale: '1h' })
    takes.read = 50
    const before = here.getOrSet('a', () => passed(LATER).then(() => 'made'), { stale: '1h' })
    await vi.advanceTimersByTimeAsync(10)
    await here.delete('a')
    await vi.advanceTimersByTimeAsync(100)
    const after = here.getOrSet('a', () => 'made after', { stale: '1h' })
    await vi.advanceTimersByTimeAsync(2 * LATER)
    expect(await after).not.toBe('old')
    await before
  })
})
