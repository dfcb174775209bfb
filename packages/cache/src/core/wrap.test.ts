import { describe, expect, it } from 'vitest'
import { createCache } from './create-cache.ts'
import { keyMaker } from './wrap.ts'

describe('wrap', () => {
  it('caches a function’s results by its simple arguments', async () => {
    const cache = createCache()
    let calls = 0
    const join = cache.wrap(
      (a: string, b: number | null) => {
        calls += 1
        return `${a}/${b}`
      },
      { name: 'join' },
    )
    expect([await join('a', 1), await join('a', 1), await join('a', null)]).toEqual([
      'a/1',
      'a/1',
      'a/null',
    ])
    expect(calls).toBe(2)
    expect(cache.peek(join.keyOf('a', 1))).toBe('a/1')
    await cache.delete(join.keyOf('a', 1))
    await join('a', 1)
    expect(calls).toBe(3)
  })

  it('never takes different arguments for the same', async () => {
    const keyOf = keyMaker<(string | number | boolean | null)[]>({ name: 'f' })
    const calls = [
      ['a', 'b'],
      ['a,b'],
      ['a"', '"b'],
      [1],
      ['1'],
      [true],
      ['true'],
      [null],
      [],
      [''],
    ]
    expect(new Set(calls.map((args) => keyOf(...args))).size).toBe(calls.length)
  })

  it('asks for a key where arguments can’t be told apart safely', async () => {
    const cache = createCache()
    const find = cache.wrap((query: { id: number }) => query.id, { name: 'find' })
    await expect(find({ id: 1 })).rejects.toMatchObject({ code: 'invalid_key' })
    const byId = cache.wrap((query: { id: number }) => query.id, {
      name: 'find',
      key: ({ id }) => `${id}`,
    })
    expect([await byId({ id: 1 }), byId.keyOf({ id: 1 })]).toEqual([1, 'find:1'])
  })

  it('wants a name or a key, and right options, before any call', () => {
    const cache = createCache()
    const fn = (id: string) => id
    expect(() => cache.wrap(fn, {})).toThrow('`name`')
    expect(() => cache.wrap(fn, { name: '' })).toThrow('name')
    expect(() => cache.wrap(fn, { name: 'f', ttl: 'long' })).toThrow('ttl')
  })

  it('passes errors, and stores none', async () => {
    const cache = createCache()
    let calls = 0
    const fails = cache.wrap(
      async (_id: string) => {
        calls += 1
        throw new Error('down')
      },
      { name: 'fails' },
    )
    await expect(fails('1')).rejects.toThrow('down')
    await expect(fails('1')).rejects.toThrow('down')
    expect(calls).toBe(2)
  })
})

describe('cached', () => {
  it('decorates a method, which keeps its `this`, its arguments and its type', async () => {
    const cache = createCache()
    class Users {
      readonly prefix = 'user'
      calls = 0

      @cache.cached({ name: 'users', ttl: '5m' })
      async find(id: string): Promise<string> {
        this.calls += 1
        return `${this.prefix} ${id}`
      }
    }
    const users = new Users()
    const found: string[] = [await users.find('1'), await users.find('1'), await users.find('2')]
    expect(found).toEqual(['user 1', 'user 1', 'user 2'])
    expect(users.calls).toBe(2)
    expect(cache.peek('users:["1"]')).toBe('user 1')
  })

  it('takes a key of the arguments, and runs a method once for all who wait', async () => {
    const cache = createCache()
    class Orders {
      calls = 0

      @cache.cached({ key: ({ id }: { id: number }) => `order:${id}`, tags: ['orders'] })
      async load({ id }: { id: number }): Promise<number> {
        this.calls += 1
        return id
      }
    }
    const orders = new Orders()
    await Promise.all([orders.load({ id: 7 }), orders.load({ id: 7 })])
    expect(orders.calls).toBe(1)
    expect(await cache.invalidate({ tag: 'orders' })).toBe(1)
    expect([await orders.load({ id: 7 }), orders.calls]).toEqual([7, 2])
  })

  it('wants a name or a key, and right options, when the class is defined', () => {
    const cache = createCache()
    expect(() => cache.cached({})).toThrow('`name`')
    expect(() => cache.cached({ name: 'f', ttl: 'long' })).toThrow('ttl')
  })
})
