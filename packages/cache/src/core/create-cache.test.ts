import { describe, expect, it } from 'vitest'
import type { Cache } from './cache.ts'
import { createCache } from './create-cache.ts'
import type { CacheEvent } from './events.ts'
import type { CacheOptions } from './options.ts'

interface Bench {
  readonly cache: Cache
  readonly events: CacheEvent[]
  /** Lets time pass. */
  pass(ms: number): void
}

function open(options: CacheOptions = {}): Bench {
  let now = 1_000_000
  const events: CacheEvent[] = []
  const cache = createCache({
    jitter: 0,
    now: () => now,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  const pass = (ms: number) => {
    now += ms
  }
  return { cache, events, pass }
}

/** A promise that is settled from outside. */
function deferred<T>() {
  return Promise.withResolvers<T>()
}

/** Until all that can happen now has happened. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

function typesOf(events: readonly CacheEvent[]): string[] {
  return events.map(({ type }) => type)
}

describe('getOrSet', () => {
  it('makes a value once and keeps it for the ttl', async () => {
    const { cache, pass } = open({ ttl: '1m' })
    let made = 0
    expect(await cache.getOrSet('a', () => ++made)).toBe(1)
    pass(59_999)
    expect(await cache.getOrSet('a', () => ++made)).toBe(1)
    pass(1)
    expect(await cache.getOrSet('a', async () => ++made)).toBe(2)
  })

  it('runs one factory for all who ask at a time', async () => {
    const { cache } = open()
    const { promise, resolve } = deferred<string>()
    let calls = 0
    const factory = () => {
      calls += 1
      return promise
    }
    const all = Array.from({ length: 1_000 }, () => cache.getOrSet('a', factory))
    resolve('x')
    expect(new Set(await Promise.all(all))).toEqual(new Set(['x']))
    expect(calls).toBe(1)
    expect(cache.stats()).toMatchObject({ factories: 1, coalesced: 999, misses: 1_000 })
  })

  it('stores null for its own ttl, and undefined not at all', async () => {
    const { cache, pass } = open({ ttl: '1m', negativeTtl: '1s' })
    let made = 0
    const nothing = () => {
      made += 1
      return null
    }
    await cache.getOrSet('null', nothing)
    expect(await cache.getOrSet('null', nothing)).toBeNull()
    pass(1_000)
    await cache.getOrSet('null', nothing)
    expect(made).toBe(2)
    expect(await cache.getOrSet('none', () => undefined)).toBeUndefined()
    expect(await cache.has('none')).toBe(false)
  })

  it('passes the factory’s own error to all who wait, and asks again the next time', async () => {
    const { cache } = open()
    const error = new Error('down')
    const fails = () => Promise.reject(error)
    const results = await Promise.allSettled([
      cache.getOrSet('a', fails),
      cache.getOrSet('a', fails),
    ])
    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual([
      error,
      error,
    ])
    expect(await cache.getOrSet('a', () => 1)).toBe(1)
    expect(
      await cache
        .getOrSet('sync', () => {
          throw error
        })
        .catch((reason: unknown) => reason),
    ).toBe(error)
  })

  it('takes off a random part of the ttl', async () => {
    const { cache, pass } = open({ ttl: 1_000, jitter: 0.5, random: () => 0.5 })
    await cache.set('a', 1)
    pass(749)
    expect(cache.peek('a')).toBe(1)
    pass(1)
    expect(cache.peek('a')).toBeUndefined()
  })

  it('lets the factory decide on ttl, tags and whether it is stored', async () => {
    const { cache, pass } = open({ ttl: '1m' })
    await cache.getOrSet('a', ({ ttl, staleFor, tag }) => {
      ttl('10s')
      staleFor('5s')
      tag('x', 'y')
      return 1
    })
    expect(cache.peekEntry('a')).toMatchObject({ state: 'fresh', tags: ['x', 'y'] })
    pass(10_000)
    expect(cache.peekEntry('a')).toMatchObject({ state: 'stale', ageMs: 10_000 })
    pass(5_000)
    expect(cache.peekEntry('a')).toBeUndefined()
    const passing = cache.getOrSet('b', ({ skip }) => {
      skip()
      return 1
    })
    expect(await passing).toBe(1)
    expect(cache.peek('b')).toBeUndefined()
  })

  it('says which option of a call is wrong', async () => {
    const { cache } = open()
    const fails = async (options: object) =>
      cache.getOrSet('a', () => 1, options).catch((error: unknown) => error)
    expect(await fails({ ttl: '5 parsecs' })).toMatchObject({ code: 'invalid_option' })
    expect(await fails({ ttl: -1 })).toMatchObject({ code: 'invalid_option' })
    expect(await fails({ jitter: 2 })).toMatchObject({ code: 'invalid_option' })
    expect(await fails({ tll: 1 })).toMatchObject({ message: expect.stringContaining('"tll"') })
    expect(await fails({ tags: 'x' })).toMatchObject({ code: 'invalid_option' })
    expect(await fails({ tags: ['\u0000x'] })).toMatchObject({ code: 'invalid_option' })
    expect(await fails({ hardTimeout: '30d' })).toMatchObject({ code: 'invalid_option' })
    expect(await cache.getOrSet('', () => 1).catch((error: unknown) => error)).toMatchObject({
      code: 'invalid_key',
    })
  })

  it('calls the factory though a fresh value is there, when it is forced', async () => {
    const { cache } = open()
    await cache.set('a', 1)
    const stale: unknown[] = []
    const again = await cache.getOrSet(
      'a',
      (context) => {
        stale.push(context.stale?.value)
        return 2
      },
      { fresh: true },
    )
    expect([again, cache.peek('a'), stale]).toEqual([2, 2, [1]])
    const fails = cache.getOrSet('a', () => Promise.reject(new Error('down')), { fresh: true })
    await expect(fails).rejects.toThrow('down')
    expect(cache.peek('a')).toBe(2)
  })
})

describe('a stale value', () => {
  it('is served at once while one factory makes a fresh one', async () => {
    const { cache, pass } = open({ ttl: '1m', stale: '1h' })
    await cache.set('a', 'old')
    pass(60_000)
    const { promise, resolve } = deferred<string>()
    let calls = 0
    const factory = () => {
      calls += 1
      return promise
    }
    const served = await Promise.all([
      cache.getOrSet('a', factory),
      cache.getOrSet('a', factory),
      cache.getOrSet('a', factory),
    ])
    expect(served).toEqual(['old', 'old', 'old'])
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.getEntry('a', { stale: true })).toMatchObject({ value: 'old' })
    resolve('new')
    await quiet()
    expect(calls).toBe(1)
    expect(cache.peek('a')).toBe('new')
  })

  it('is served when the factory fails, which is then left alone for a while', async () => {
    const { cache, events, pass } = open({ ttl: '1m', stale: '1h', retryAfterError: '1s' })
    await cache.set('a', 'old')
    pass(60_000)
    let calls = 0
    const fails = () => {
      calls += 1
      return Promise.reject(new Error('down'))
    }
    for (let i = 0; i < 5; i++) {
      expect(await cache.getOrSet('a', fails)).toBe('old')
      await quiet()
    }
    expect(calls).toBe(1)
    expect(typesOf(events)).toContain('refresh_failed')
    pass(1_000)
    await cache.getOrSet('a', fails)
    expect(calls).toBe(2)
    await quiet()
    expect(cache.stats()).toMatchObject({ stale: 6, errors: 2 })
  })

  it('ends at the end of its time', async () => {
    const { cache, pass } = open({ ttl: '1m', stale: '1m' })
    await cache.set('a', 'old')
    pass(120_000)
    const fails = cache.getOrSet('a', () => Promise.reject(new Error('down')))
    await expect(fails).rejects.toThrow('down')
  })

  it('is told to the factory', async () => {
    const { cache, pass } = open({ ttl: '1m', stale: '1h' })
    await cache.set('a', 7)
    pass(61_000)
    let stale: unknown
    await cache.getOrSet('a', (context) => {
      stale = context.stale
      return 8
    })
    expect(stale).toEqual({ value: 7, ageMs: 61_000 })
  })
})

describe('eager refreshing', () => {
  it('makes a fresh value behind a hit late in its life, once', async () => {
    const { cache, pass } = open({ ttl: 1_000, eager: 0.8 })
    let made = 0
    const factory = async () => ++made
    await cache.getOrSet('a', factory)
    pass(799)
    await cache.getOrSet('a', factory)
    expect(made).toBe(1)
    pass(1)
    expect(await Promise.all([1, 2, 3].map(() => cache.getOrSet('a', factory)))).toEqual([1, 1, 1])
    await quiet()
    expect(made).toBe(2)
    expect(cache.peek('a')).toBe(2)
  })

  it('isn’t tried again at once when it fails', async () => {
    const { cache, pass } = open({ ttl: 1_000, eager: 0.5 })
    await cache.set('a', 1)
    pass(500)
    let calls = 0
    const fails = () => {
      calls += 1
      return Promise.reject(new Error('down'))
    }
    for (let i = 0; i < 5; i++) {
      expect(await cache.getOrSet('a', fails)).toBe(1)
      await quiet()
    }
    expect(calls).toBe(1)
  })
})

describe('what is newer', () => {
  it.each<[string, (cache: Cache) => Promise<unknown>, unknown]>([
    ['a set', (cache) => cache.set('a', 'newer'), 'newer'],
    ['a delete', (cache) => cache.delete('a'), undefined],
    ['a prefix', (cache) => cache.invalidate({ prefix: 'a' }), undefined],
    ['a pattern', (cache) => cache.invalidate({ pattern: '?' }), undefined],
    ['a tag', (cache) => cache.invalidate({ tag: 't' }), undefined],
    ['a tag that the factory gives', (cache) => cache.invalidate({ tag: 'own' }), undefined],
    ['a user', (cache) => cache.invalidateUser('ada'), undefined],
    ['a clear', (cache) => cache.clear(), undefined],
  ])('overtakes a flight: %s', async (_name, act, left) => {
    const { cache } = open()
    const { promise, resolve } = deferred<string>()
    const flight = cache.getOrSet(
      'a',
      ({ tag }) => {
        tag('own')
        return promise
      },
      { tags: ['t'], user: 'ada' },
    )
    await act(cache)
    const late = cache.getOrSet('a', () => 'second')
    resolve('old')
    expect(await flight).toBe('old')
    expect(await late).toBe(left ?? 'second')
    await quiet()
    expect(cache.peek('a')).toBe(left ?? 'second')
  })

  it('leaves a flight alone that has other tags', async () => {
    const { cache } = open()
    const { promise, resolve } = deferred<string>()
    const flight = cache.getOrSet('a', () => promise, { tags: ['t'] })
    await cache.invalidate({ tag: 'other' })
    const joined = cache.getOrSet('a', () => 'second')
    resolve('first')
    expect([await flight, await joined, cache.peek('a')]).toEqual(['first', 'first', 'first'])
  })
})
