import { describe, expect, it } from 'vitest'
import { createCache } from './create-cache.ts'
import { memoryDriver } from './memory-driver.ts'

/** As somebody without a compiler would call it. */
const create = createCache as (options: unknown) => ReturnType<typeof createCache>

describe('options that can’t be meant', () => {
  const l2 = memoryDriver()
  it.each<[unknown, string]>([
    [null, 'options is null'],
    [5_000, 'options is 5000; it has to be an object such as { ttl: "5m" }.'],
    [{ tll: 1 }, 'There is no option "tll". There are: ttl,'],
    [{ onEvent: true }, 'onEvent is true; it has to be a function.'],
    [{ l1: [] }, 'l1 is an array; it has to be an object of limits, or false.'],
    [{ l1: { max: 1 } }, 'There is no option "l1.max". There are: entries,'],
    [{ l2: {} }, 'l2 is an object; it has to be a driver such as redisDriver({ redis })'],
    [{ l2, bus: {} }, 'bus is an object; it has to be a bus such as redisBus('],
    [{ bus: { publish() {}, subscribe() {} } }, 'it needs `l2`'],
    [
      { l2: { driver: l2, compress: null } },
      'l2.compress is null; it has to be an object of above',
    ],
    [{ l2: { driver: l2, compress: {} } }, 'l2.compress.above is undefined'],
    [{ l2: { driver: l2, serializer: JSON } }, 'one such as structuredSerializer'],
    [{ popular: 5 }, 'popular is 5; it has to be an object of size, every, halfLifeMs.'],
    [{ popular: { top: 5 } }, 'There is no option "popular.top"'],
    [{ popular: { every: 0 } }, 'popular.every is 0; it has to be a whole number from 1.'],
    [{ prediction: true }, 'prediction is true; it has to be an object of load,'],
    [{ prediction: { load() {}, limit: 1 } }, 'There is no option "prediction.limit"'],
  ])('%j is told as: %s', (options, message) => {
    let error: unknown
    try {
      create(options)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'invalid_option' })
    expect(error).toHaveProperty('message', expect.stringContaining(message))
  })
})

describe('calls that can’t be meant', () => {
  const cache = createCache()
  const loose = cache as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
  it.each<[string, unknown[], string]>([
    ['set', ['a', 1, 5_000], 'options is 5000; it has to be an object such as { ttl: "5m" }.'],
    ['set', ['a', 1, '5m'], 'options is "5m"'],
    ['getOrSet', ['b', () => 1, 5_000], 'options is 5000'],
    ['getOrSet', ['b', 1], 'factory is 1; it has to be a function that makes the value.'],
    ['getMany', ['abc'], 'keys is "abc"; it has to be an array.'],
    ['setMany', [{ a: 1 }], 'items is an object; it has to be an array.'],
    ['invalidate', [{ key: 'a' }, { swep: false }], 'There is no option "invalidate.swep"'],
    ['warm', [undefined], 'items is undefined; it has to be a list of { key, load }.'],
    ['warm', [[], { budget: 5 }], 'warm.budget is 5; it has to be an object of calls, ms.'],
    ['warm', [[], { parallel: 5 }], 'There is no option "warm.parallel"'],
  ])('%s(%j…) rejects: %s', async (method, given, message) => {
    const called = Promise.resolve(loose[method]?.bind(cache)(...given))
    await expect(called).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining(message),
    })
  })

  it('wraps nothing but functions, by keys that are made by functions', () => {
    const wrap = cache.wrap.bind(cache) as (...given: unknown[]) => unknown
    expect(() => wrap(5, { name: 'f' })).toThrow('What is wrapped is 5; it has to be a function.')
    expect(() => wrap(() => 1, { key: 'f' })).toThrow('key is "f"; it has to be a function.')
    expect(() => wrap(() => 1)).toThrow('`name`')
  })
})
