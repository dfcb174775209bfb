import { describe, expect, it } from 'vitest'
import { createCache } from './create-cache.ts'
import type { CacheEvent } from './events.ts'

describe('the first tier', () => {
  it('lets the least recently used entry go when there are too many', async () => {
    let now = 0
    const evicted: CacheEvent[] = []
    const cache = createCache({
      now: () => ++now,
      l1: { entries: 2 },
      onEvent: (event) => event.type === 'evicted' && evicted.push(event),
    })
    await cache.set('a', 1)
    await cache.set('b', 2)
    cache.peek('a')
    await cache.set('c', 3)
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([1, undefined, 3])
    expect(evicted).toEqual([{ type: 'evicted', key: 'b' }])
    expect(cache.stats()).toMatchObject({ evictions: 1, entries: 2, bytes: undefined })
  })

  it('keeps to a number of bytes', async () => {
    const cache = createCache({ l1: { bytes: 100_000 } })
    for (let i = 0; i < 100; i++) await cache.set(`key${i}`, 'x'.repeat(5_000))
    const { bytes = 0, entries } = cache.stats()
    expect(bytes).toBeLessThanOrEqual(100_000)
    expect(entries).toBeGreaterThan(5)
    expect(entries).toBeLessThan(10)
    await cache.set('huge', Buffer.alloc(100_001))
    expect(cache.peek('huge')).toBeUndefined()
  })

  it('counts bytes as it is told to, and says when that is no number', async () => {
    const cache = createCache({ l1: { bytes: 1_000, sizeOf: (value) => value as number } })
    await cache.set('a', 100)
    expect(cache.stats().bytes).toBeGreaterThanOrEqual(100)
    await expect(cache.set('b', Number.NaN)).rejects.toMatchObject({ code: 'invalid_option' })
    expect(await cache.getOrSet('b', () => Number.NaN)).toBeNaN()
    expect(cache.stats().errors).toBe(1)
  })

  it('sweeps expired entries out as others come, with no timer', async () => {
    let now = 0
    const cache = createCache({ now: () => now, ttl: 10, jitter: 0 })
    for (let i = 0; i < 1_000; i++) await cache.set(`old${i}`, i)
    now = 10
    for (let i = 0; i < 500; i++) await cache.set(`new${i}`, i, { ttl: '1h' })
    expect(cache.stats().entries).toBeLessThan(600)
    expect(cache.peek('new0')).toBe(0)
  })

  it('can be left out', async () => {
    const cache = createCache({ l1: false })
    await cache.set('a', 1)
    expect(await cache.get('a')).toBeUndefined()
    expect(await Promise.all([1, 2].map((n) => cache.getOrSet('a', async () => n)))).toEqual([1, 1])
  })

  it.each<[object, string]>([
    [{ l1: { entries: 0 } }, 'l1.entries'],
    [{ l1: { bytes: -1 } }, 'l1.bytes'],
    [{ l1: { size: 1 } }, 'l1.size'],
    [{ l1: 100 }, 'l1'],
    [{ l1: { ttl: 'soon' } }, 'l1.ttl'],
    [{ l2: {} }, 'l2'],
    [{ bus: {} }, 'l2'],
    [{ name: '' }, 'name'],
    [{ maxKeyLength: 3 }, 'maxKeyLength'],
    [{ eagre: 0.5 }, 'eagre'],
    [{ eager: 0 }, 'eager'],
    [{ lock: 'global' }, 'lock'],
    [{ user: '' }, 'user'],
  ])('isn’t made with %j', (options, named) => {
    expect(() => createCache(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(named) }),
    )
  })
})
