import { describe, expect, it } from 'vitest'
import type { Cache } from '../cache.ts'
import { createCache } from '../create-cache.ts'
import type { CacheDriver } from '../driver.ts'
import { memoryBus } from '../memory-bus.ts'
import { memoryDriver } from '../memory-driver.ts'
import type { CacheOptions } from '../options.ts'

/** Long enough for what has no network to cross. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
}

/** Caches as of two processes. */
async function pair(options: CacheOptions = {}) {
  const l2 = memoryDriver()
  const bus = memoryBus()
  const a = createCache({ l2, bus, jitter: 0, ...options })
  const b = createCache({ l2, bus, jitter: 0, ...options })
  await settled()
  return { a, b, l2 }
}

describe('a cache with a second tier', () => {
  it('has what another has made', async () => {
    const { a, b } = await pair()
    await a.getOrSet('k', () => 'made', { tags: ['t'] })
    expect(await b.getOrSet('k', () => 'again')).toBe('made')
    expect(b.peek('k')).toBe('made')
    expect(b.stats()).toMatchObject({ l2Hits: 1, factories: 0, l2: { reads: 1, up: true } })
    expect(b.peekEntry('k')?.tags).toEqual(['t'])
  })

  it('forgets what another removes', async () => {
    const { a, b } = await pair()
    await a.setMany([
      { key: 'x', value: 1, tags: ['t'] },
      { key: 'y', value: 2, user: 'ada' },
      { key: 'z', value: 3 },
    ])
    expect(await b.getMany(['x', 'none', 'y', 'z', 'x'])).toEqual([1, undefined, 2, 3, 1])
    expect(await a.invalidate({ tag: 't' })).toBe(1)
    expect(await a.invalidateUser('ada')).toBe(1)
    expect(await a.delete('z')).toBe(true)
    await settled()
    expect([b.peek('x'), b.peek('y'), b.peek('z')]).toEqual([undefined, undefined, undefined])
    expect(await b.getMany(['x', 'y', 'z'])).toEqual([undefined, undefined, undefined])
  })

  it('counts what was in the second tier only', async () => {
    const { a, b } = await pair()
    await a.namespace('n').set('k', 1)
    expect(await b.namespace('n').clear()).toBe(1)
    await settled()
    expect(a.namespace('n').peek('k')).toBeUndefined()
  })

  it('serves what is stale there at once, and makes it fresh behind', async () => {
    let now = Date.now()
    const { a, b } = await pair({ ttl: '1m', stale: '1h', now: () => now })
    await a.set('k', 'old')
    now += 61_000
    let stale: unknown
    const factory = (context: { readonly stale: { readonly value: string } | undefined }) => {
      stale = context.stale?.value
      return 'new'
    }
    expect(await b.getOrSet('k', factory)).toBe('old')
    await settled()
    expect([b.peek('k'), stale]).toEqual(['new', 'old'])
    expect(await a.getOrSet('k', () => 'newer')).toMatch(/old|new/)
  })

  it('lets one process make what all of them lack', async () => {
    const { a, b } = await pair({ lock: 'cluster' })
    let calls = 0
    const factory = async () => {
      calls += 1
      await settled()
      return calls
    }
    const all = [a, b].flatMap((cache) => [1, 2, 3].map(() => cache.getOrSet('k', factory)))
    expect(await Promise.all(all)).toEqual([1, 1, 1, 1, 1, 1])
    expect(calls).toBe(1)
  })

  it('looks each time where memory may not keep anything', async () => {
    let now = Date.now()
    const { a, b } = await pair({ l1: { ttl: 10 }, bus: undefined, now: () => now })
    await a.set('k', 1)
    expect(await b.get('k')).toBe(1)
    await a.set('k', 2)
    expect(b.peek('k')).toBe(1)
    now += 10
    expect(b.peek('k')).toBeUndefined()
    expect(await b.get('k')).toBe(2)
  })

  it('goes on alone when it is away', async () => {
    const down = () => Promise.reject(new Error('away'))
    const l2 = new Proxy({} as CacheDriver, { get: () => down, has: () => true })
    const cache = createCache({ l2 })
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(await cache.getOrSet('k', () => 2)).toBe(1)
    await cache.set('j', 3)
    expect(await cache.getMany(['j', 'k'])).toEqual([3, 1])
    expect(await cache.invalidate({ prefix: 'j' })).toBe(1)
    expect(cache.stats().l2?.up).toBe(false)
    await cache.close()
  })
})

describe('a read of the second tier that is overtaken by word of a change', () => {
  /** One cache reads what another has set, and hears of it in between, and of what else it did. */
  async function overtaken(
    change: (a: Cache) => Promise<unknown>,
    said: (texts: readonly string[]) => readonly string[],
  ) {
    const bus = memoryBus()
    const texts: string[] = []
    const keeping = { ...bus, publish: async (text: string) => void texts.push(text) }
    const l2 = memoryDriver()
    const a = createCache({ l2, bus: keeping })
    const held = Promise.withResolvers<void>()
    const read = async (keys: readonly string[]) => {
      const stored = await l2.read(keys)
      await held.promise
      return stored
    }
    const slow = new Proxy<CacheDriver>(l2, {
      get: (_, name: keyof CacheDriver) => (name === 'read' ? read : l2[name]?.bind(l2)),
    })
    const b = createCache({ l2: slow, bus })
    await settled()
    await a.set('k', 'set', { tags: ['t'] })
    const found = b.get('k')
    await settled()
    await change(a)
    for (const text of said(texts)) await bus.publish(text)
    await settled()
    held.resolve()
    return { found: await found, b }
  }

  it('is believed where that is the very write that it has found', async () => {
    const { found, b } = await overtaken(
      async () => {},
      (texts) => [...texts, ...texts],
    )
    expect(found).toBe('set')
    expect(await b.get('k')).toBe('set')
    expect(b.peek('k')).toBe('set')
  })

  it.each<[string, (a: Cache) => Promise<unknown>]>([
    ['set anew', (a) => a.set('k', 'newer')],
    ['removed', (a) => a.delete('k')],
    ['removed by its tag', (a) => a.invalidate({ tag: 't' })],
    ['removed by its prefix', (a) => a.invalidate({ prefix: 'k' })],
  ])('is over where it was %s as well, in whichever order that is heard', async (_, change) => {
    expect((await overtaken(change, (texts) => texts)).found).toBeUndefined()
    expect((await overtaken(change, (texts) => texts.toReversed())).found).toBeUndefined()
  })
})
