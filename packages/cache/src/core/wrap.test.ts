import { describe, expect, it } from 'vitest'
import { createCache } from './cache.ts'
import { cachedMethod, keyMaker } from './wrap.ts'

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
  it('replaces a method, which keeps its `this`', async () => {
    const cache = createCache()
    class Users {
      calls = 0
      async find(id: string): Promise<string> {
        this.calls += 1
        return `user ${id}`
      }
    }
    const decorate = cachedMethod(cache, keyMaker<[string]>({ name: 'users' }), { ttl: '5m' })
    const context = {} as ClassMethodDecoratorContext<Users, Users['find']>
    Users.prototype.find = decorate<Users, [string], string>(Users.prototype.find, context)
    const users = new Users()
    expect([await users.find('1'), await users.find('1'), users.calls]).toEqual([
      'user 1',
      'user 1',
      1,
    ])
    expect(cache.peek('users:["1"]')).toBe('user 1')
  })
})
