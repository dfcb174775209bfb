import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryReplayStore } from './replay-store.ts'

function setUp(max?: number) {
  const clock = { now: 1000 }
  const now = () => clock.now
  return { clock, store: createMemoryReplayStore(max === undefined ? { now } : { now, max }) }
}

describe('createMemoryReplayStore', () => {
  it('knows a key until its time, and that moment too', () => {
    const { clock, store } = setUp()
    expect(store.remember('a', 2000)).toBe(true)
    expect(store.remember('a', 2000)).toBe(false)
    clock.now = 2000
    expect(store.remember('a', 2000)).toBe(false)
    clock.now = 2001
    expect(store.remember('a', 3000)).toBe(true)
    expect(store.remember('a', 3000)).toBe(false)
  })

  it('holds no more than max, and forgets nothing of use to hold another', () => {
    const { clock, store } = setUp(3)
    for (const key of ['a', 'b', 'c']) store.remember(key, 5000)
    for (let i = 0; i < 10; i++) {
      expect(() => store.remember(`d${i}`, 5000)).toThrow(
        expect.objectContaining({
          code: 'replay_store_full',
          message: expect.stringContaining('Raise max'),
        }),
      )
    }
    expect(['a', 'b', 'c'].map((key) => store.remember(key, 5000))).toEqual([false, false, false])
    clock.now = 5001
    expect(store.remember('d', 6000)).toBe(true)
  })

  it('forgets nothing at the last moment of its time', () => {
    const { clock, store } = setUp(1)
    store.remember('a', 2000)
    clock.now = 2000
    expect(() => store.remember('b', 9000)).toThrow(/replay store/)
    expect(store.remember('a', 2000)).toBe(false)
  })

  it('takes a key anew in its old place when it is full', () => {
    const { clock, store } = setUp(2)
    store.remember('a', 1100)
    store.remember('b', 9000)
    expect(() => store.remember('c', 9000)).toThrow(/replay store/)
    clock.now = 1101
    expect(store.remember('a', 9000)).toBe(true)
  })

  it('makes room as time goes by, however many come', () => {
    const { clock, store } = setUp(5000)
    for (let i = 0; i < 50_000; i++) {
      clock.now += 10
      store.remember(`key-${i}`, clock.now + 20_000)
    }
    expect(store.remember('key-49999', clock.now)).toBe(false)
  })

  it('agrees with a list that is looked through', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.record({ key, wait: fc.nat(50), life: fc.nat(100) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, store } = setUp()
        const all: { key: string; until: number }[] = []
        for (const { key: name, wait, life } of steps) {
          clock.now += wait
          const isKnown = all.some((one) => one.key === name && one.until >= clock.now)
          expect(store.remember(name, clock.now + life)).toBe(!isKnown)
          if (!isKnown) all.push({ key: name, until: clock.now + life })
        }
      }),
    )
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a max of %s', (max) => {
    expect(() => createMemoryReplayStore({ max })).toThrow(/max has to be a whole number from 1/)
  })
})
