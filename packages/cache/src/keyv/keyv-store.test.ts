import testSuite from '@keyv/test-suite'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import * as vitest from 'vitest'
import { createCache } from '../core/create-cache.ts'
import { memoryDriver } from '../core/memory-driver.ts'
import { keyvStore } from './keyv-store.ts'

const { describe, expect, it } = vitest

/** What both versions have. */
interface AnyKeyv {
  get(key: string): Promise<unknown>
  getMany(keys: string[]): Promise<unknown[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(entries: { key: string; value: unknown }[]): Promise<unknown>
  delete(key: string): Promise<boolean>
  clear(): Promise<void>
}

describe('keyvStore', () => {
  describe("passes Keyv's suite over memory", () => {
    const cache = createCache()
    testSuite(vitest, Keyv, () => keyvStore(cache))
  })

  describe("passes Keyv's suite over a second tier alone", () => {
    const cache = createCache({ l1: false, l2: memoryDriver() })
    testSuite(vitest, Keyv, () => keyvStore(cache))
  })

  const versions: Readonly<Record<string, (store: object, namespace: string) => AnyKeyv>> = {
    5: (store, namespace) => new Keyv({ store, namespace }),
    6: (store, namespace) => new Keyv6({ store, namespace }),
  }
  for (const [version, make] of Object.entries(versions)) {
    describe(`under Keyv ${version}`, () => {
      it('reads what it set, one and several', async () => {
        const keyv = make(keyvStore(createCache()), 'a')
        await keyv.set('x', { deep: [1] })
        await keyv.setMany([
          { key: 'y', value: 2 },
          { key: 'z', value: 3 },
        ])
        expect(await keyv.get('x')).toEqual({ deep: [1] })
        expect(await keyv.getMany(['x', 'nothing', 'y', 'z'])).toEqual([
          { deep: [1] },
          undefined,
          2,
          3,
        ])
        expect(await keyv.hasMany(['x', 'nothing'])).toEqual([true, false])
      })

      it('deletes, and says whether there was anything', async () => {
        const keyv = make(keyvStore(createCache()), 'a')
        await keyv.set('x', 1)
        expect([await keyv.delete('x'), await keyv.delete('x')]).toEqual([true, false])
        expect(await keyv.has('x')).toBe(false)
      })

      it('keeps namespaces apart, and clears one only', async () => {
        const cache = createCache()
        const [a, b] = [make(keyvStore(cache), 'a'), make(keyvStore(cache), 'b')]
        await cache.set('x', 'mine')
        await a.set('x', 1)
        await b.set('x', 2)
        await a.clear()
        expect([await a.get('x'), await b.get('x'), await cache.get('x')]).toEqual([
          undefined,
          2,
          'mine',
        ])
      })

      it('keeps for as long as it is told, without jitter, and what has no ttl for a year', async () => {
        const start = Date.now()
        let now = start
        const cache = createCache({ now: () => now, ttl: '1s', stale: '1h' })
        const store = keyvStore(cache)
        const keyv = make(store, '')
        await keyv.set('short', 1, 60_000)
        await keyv.set('long', 2)
        now = start + 59_000
        expect(await store.getMany(['short', 'long'])).not.toContain(undefined)
        now = start + 60_001
        expect(await store.get('short')).toBeUndefined()
        now = start + 364 * 86_400_000
        expect(await keyv.get('long')).toBe(2)
      })
    })
  }

  it('lets Keyv tell of what the cache refuses', async () => {
    const keyv = new Keyv({ store: keyvStore(createCache()) })
    const errors: unknown[] = []
    keyv.on('error', (error: unknown) => errors.push(error))
    expect(await keyv.set('x', 1, Number.POSITIVE_INFINITY)).toBe(false)
    expect(errors).toEqual([expect.objectContaining({ code: 'invalid_option' })])
  })

  it('refuses a ttl that is none', () => {
    expect(() => keyvStore(createCache(), { ttl: 'for ever' })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})
