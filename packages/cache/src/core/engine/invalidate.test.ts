import { describe, expect, it } from 'vitest'
import { createCache } from '../create-cache.ts'
import type { CacheEvent } from '../events.ts'

async function filled() {
  const cache = createCache({ jitter: 0 })
  await cache.setMany([
    { key: 'page:1', value: 1, tags: ['pages'], user: 'ada' },
    { key: 'page:2', value: 2, tags: ['pages', 'news'] },
    { key: 'page:*', value: 3, user: 'ada' },
    { key: 'other', value: 4, tags: ['news'] },
  ])
  return cache
}

describe('invalidate', () => {
  it.each<[object, number, readonly string[]]>([
    [{ key: 'page:1' }, 1, ['page:2', 'page:*', 'other']],
    [{ key: 'nothing' }, 0, ['page:1', 'page:2', 'page:*', 'other']],
    [{ keys: ['page:1', 'other', 'nothing'] }, 2, ['page:2', 'page:*']],
    [{ tag: 'pages' }, 2, ['page:*', 'other']],
    [{ tags: ['pages', 'news'] }, 3, ['page:*']],
    [{ user: 'ada' }, 2, ['page:2', 'other']],
    [{ prefix: 'page:' }, 3, ['other']],
    [{ pattern: 'page:?' }, 3, ['other']],
    [{ pattern: 'page:\\*' }, 1, ['page:1', 'page:2', 'other']],
    [{ pattern: '*' }, 4, []],
    [{ namespace: 'page' }, 3, ['other']],
  ])('removes and counts %j', async (target, removed, left) => {
    const cache = await filled()
    expect(await cache.invalidate(target as { key: string })).toBe(removed)
    const keys = ['page:1', 'page:2', 'page:*', 'other']
    expect(keys.filter((key) => cache.peek(key) !== undefined)).toEqual(left)
  })

  it('takes one kind of target, and says which there are', async () => {
    const cache = await filled()
    for (const target of [{}, { key: 'a', tag: 'b' }, { kye: 'a' }, { prefix: '' }, { tag: '' }]) {
      await expect(cache.invalidate(target as { key: string })).rejects.toMatchObject({
        code: 'invalid_option',
      })
    }
    await expect(cache.invalidate({ key: '' })).rejects.toMatchObject({ code: 'invalid_key' })
  })

  it('doesn’t count what had expired', async () => {
    let now = 0
    const cache = createCache({ now: () => now, ttl: 100, jitter: 0 })
    await cache.set('a', 1, { tags: ['t'] })
    now = 100
    expect(await cache.invalidate({ tag: 't' })).toBe(0)
  })

  it('tells what it has done', async () => {
    const events: CacheEvent[] = []
    const cache = createCache({ onEvent: (event) => void events.push(event) })
    await cache.invalidateUser('ada')
    expect(events).toEqual([{ type: 'invalidated', what: 'tag user:ada', removed: 0 }])
  })
})

describe('namespace', () => {
  it('keeps its keys apart, and shares tags with all', async () => {
    const cache = createCache()
    const users = cache.namespace('users')
    const admins = users.namespace('admins')
    await cache.set('1', 'root')
    await users.set('1', 'user', { tags: ['t'] })
    await admins.set('1', 'admin', { tags: ['t'] })
    expect([cache.peek('1'), users.peek('1'), admins.peek('1')]).toEqual(['root', 'user', 'admin'])
    expect(await users.getMany(['1', 'admins:1', 'none'])).toEqual(['user', 'admin', undefined])
    expect(users.peekEntry('1')?.tags).toEqual(['t'])
    expect(await admins.invalidate({ tag: 't' })).toBe(2)
  })

  it('clears its own, with what is inside it', async () => {
    const cache = createCache()
    const users = cache.namespace('users')
    await cache.set('1', 'root')
    await users.set('1', 'user')
    await users.namespace('admins').set('1', 'admin')
    expect(await users.clear()).toBe(2)
    expect(cache.peek('1')).toBe('root')
    await users.set('x*', 1)
    expect(await cache.namespace('us').invalidate({ pattern: '*' })).toBe(0)
    expect(await users.invalidate({ pattern: 'x\\*' })).toBe(1)
    expect(await cache.clear()).toBe(1)
  })

  it('isn’t closed by itself', async () => {
    const cache = createCache()
    const users = cache.namespace('users')
    await users.set('1', 1)
    await users.close()
    expect(users.peek('1')).toBe(1)
  })

  it('has counts of its own', async () => {
    const cache = createCache()
    const users = cache.namespace('users')
    await users.namespace('admins').getOrSet('1', () => 1)
    await users.get('none')
    await users.set('a', 1)
    users.peek('a')
    cache.peek('users:a')
    expect(users.stats()).toMatchObject({ l1Hits: 1, misses: 2, factories: 1 })
    expect(cache.stats()).toMatchObject({
      l1Hits: 2,
      hitRate: 0.5,
      entries: 2,
      l2: undefined,
      namespaces: { 'users:': { l1Hits: 1, misses: 2 }, 'users:admins:': { misses: 1 } },
    })
  })
})

describe('keys', () => {
  it('are used by their SHA-256 when they are too long', async () => {
    const cache = createCache({ maxKeyLength: 64 })
    const long = 'k'.repeat(100)
    await cache.set(long, 1)
    expect(await cache.get(long)).toBe(1)
    expect(await cache.get(`${long}x`)).toBeUndefined()
    expect(await cache.getOrSet(long, () => 2)).toBe(1)
    expect(await cache.delete(long)).toBe(true)
    expect(await cache.has(long)).toBe(false)
  })

  it.each([[''], [undefined], [1], [{}], ['\ud800']])('have to be texts: %j', async (key) => {
    const cache = createCache()
    const wrong = key as string
    await expect(cache.get(wrong)).rejects.toMatchObject({ code: 'invalid_key' })
    await expect(cache.set(wrong, 1)).rejects.toMatchObject({ code: 'invalid_key' })
    await expect(cache.getMany([wrong])).rejects.toMatchObject({ code: 'invalid_key' })
    await expect(cache.delete(wrong)).rejects.toMatchObject({ code: 'invalid_key' })
    expect(() => cache.namespace(wrong)).toThrow('key')
  })

  it('are never without a value', async () => {
    const cache = createCache()
    await expect(cache.set('a', undefined)).rejects.toMatchObject({ code: 'invalid_value' })
    await expect(cache.set('a', Promise.reject(new Error('x')))).rejects.toMatchObject({
      code: 'invalid_value',
    })
    const items = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 'x' },
    ]
    await expect(cache.setMany(items)).rejects.toMatchObject({ code: 'invalid_option' })
    expect(cache.peek('a')).toBeUndefined()
  })
})
