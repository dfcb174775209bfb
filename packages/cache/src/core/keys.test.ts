import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCache } from './create-cache.ts'
import type { EntryOptions } from './entry-options.ts'
import { checkKey, fullKey } from './keys.ts'

describe('a key', () => {
  it('is never taken for another one that is too long to be stored as it is', async () => {
    const cache = createCache()
    const long = 'k'.repeat(2_000)
    const digest = createHash('sha256').update(long).digest('base64url')
    await cache.set(long, 'secret')
    expect(await cache.get(long)).toBe('secret')
    expect(await cache.get(`sha256:${digest}`)).toBeUndefined()
    expect(() => checkKey(fullKey('', long, 1_024))).toThrow('U+0000')
  })

  it('does not give what is under a long key to who asks for the digest', async () => {
    const cache = createCache()
    const long = 'k'.repeat(2_000)
    await cache.set(long, 'secret')
    await cache.namespace('n').set(long, 'secret')
    for (const own of [fullKey('', long, 1_024), fullKey('n:', long, 1_024)]) {
      expect(cache.peek(own)).toBeUndefined()
      await expect(cache.get(own)).rejects.toMatchObject({ code: 'invalid_key' })
      await expect(cache.getOrSet(own, () => 1)).rejects.toMatchObject({ code: 'invalid_key' })
    }
  })

  it.each(['__proto__', 'constructor', '*', '{}', '\n', ' ', 'a\u0000b', '😀', 'k'.repeat(10_000)])(
    'may be %j',
    async (key) => {
      const cache = createCache()
      await cache.namespace('n').set(key, 1)
      expect(await cache.get(key)).toBeUndefined()
      await cache.set(key, 2)
      expect(await cache.getMany([key, key])).toEqual([2, 2])
      expect(await cache.deleteMany([key, key])).toBe(1)
      expect(await cache.namespace('n').get(key)).toBe(1)
    },
  )

  it.each(['', '\u0000a', 'n:\u0000a', 'a\ud800', '\udc00', 5, null, undefined])(
    'can’t be %j',
    async (key) => {
      const invalid = { code: 'invalid_key' }
      const cache = createCache()
      const given = key as string
      await expect(cache.get(given)).rejects.toMatchObject(invalid)
      await expect(cache.set(given, 1)).rejects.toMatchObject(invalid)
      await expect(cache.getOrSet(given, () => 1)).rejects.toMatchObject(invalid)
      await expect(cache.invalidate({ key: given })).rejects.toMatchObject(invalid)
      expect(() => cache.namespace(given)).toThrow(expect.objectContaining(invalid))
    },
  )
})

describe('an option', () => {
  it('isn’t known because all objects have it', async () => {
    const options = { toString: 1 } as unknown as EntryOptions
    await expect(createCache().getOrSet('a', () => 1, options)).rejects.toMatchObject({
      code: 'invalid_option',
    })
  })
})
