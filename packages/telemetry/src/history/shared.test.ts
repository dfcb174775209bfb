import { describe, expect, it } from 'vitest'
import { Clock, historyAt, values } from './clock.fixture.ts'
import type { History } from './history.ts'
import type { HistoryKind } from './kind.ts'
import { memoryHistoryStore } from './memory-store.ts'
import type { HistoryOptions } from './options.ts'
import type { HistoryStore } from './store.ts'
import { Unsteady } from './unsteady-store.fixture.ts'

function setUp(kind: HistoryKind = 'rate') {
  const clock = new Clock()
  const store = new Unsteady()
  const make = (options: HistoryOptions = {}): History => {
    const history = historyAt(clock, { store, ...options })
    history.declare('m', { kind })
    return history
  }
  const seconds = async (history: History, windowS: number, stepMs?: number) =>
    values(await history.query({ metrics: ['m'], windowMs: windowS * 1_000, stepMs }))
  return { clock, store, make, seconds }
}

describe('histories with one store', () => {
  it.each([
    ['rate', 4, 4],
    ['count', 4, 240],
    ['level', 4, 4],
    ['gauge', 2, 2],
    ['max', 3, 3],
    ['min', 1, 1],
  ] as const)('put a %s of two processes together', async (kind, second, minute) => {
    const { clock, make, seconds } = setUp(kind)
    const [one, other] = [make(), make()]
    for (let time = 0; time < 60; time += 1) {
      one.record('m', 1)
      other.record('m', 3)
      clock.advance(1)
    }
    await Promise.all([one.flush(), other.flush()])
    for (const history of [one, other, make()]) {
      expect(await seconds(history, 2)).toEqual([second, second])
      expect(await seconds(history, 60, 60_000)).toEqual([minute])
    }
  })

  it('know each second once all have told it', async () => {
    const { clock, make, seconds } = setUp()
    const [one, other] = [make(), make()]
    const both = (count: number) => {
      for (let time = 0; time < count; time += 1) {
        for (const history of [one, other]) history.record('m', 1)
        clock.advance(1)
      }
    }
    both(2)
    await other.flush()
    both(2)
    expect(await seconds(one, 4)).toEqual([2, 2, null, null])
    await one.flush()
    await other.flush()
    expect(await seconds(one, 4)).toEqual([2, 2, 2, 2])
    await other.close()
    one.record('m', 7)
    clock.advance(1)
    expect(await seconds(one, 2)).toEqual([2, 7])
  })

  it('do not wait for one that was killed', async () => {
    const { clock, make, seconds } = setUp()
    const [one, killed] = [make({ flushMs: 5_000 }), make()]
    killed.record('m', 1)
    clock.advance(1)
    await killed.flush()
    clock.advance(16)
    one.record('m', 1)
    clock.advance(1)
    expect(await seconds(one, 1)).toEqual([1])
    await one.close()
  })

  it('find the day before a restart, and metrics that only others know', async () => {
    const { clock, make, seconds } = setUp()
    const before = make()
    for (const value of [60, 120]) {
      before.record('m', value)
      before.publish('shop.carts', value)
      clock.advance(60)
    }
    await before.close()
    clock.advance(3_600)
    const after = make()
    expect((await seconds(after, 86_400)).filter((each) => each !== null)).toEqual([1, 2])
    expect(await after.names()).toEqual([
      { metric: 'm', kind: 'rate', unit: '' },
      { metric: 'shop.carts', kind: 'gauge', unit: '' },
    ])
    const carts = await after.query({ metrics: ['shop.carts'], windowMs: 86_400_000 })
    expect(values(carts).filter((each) => each !== null)).toEqual([60, 120])
  })

  it('add nothing twice that was taken and not confirmed', async () => {
    const { clock, store, make, seconds } = setUp('count')
    const history = make()
    history.record('m', 5)
    clock.advance(1)
    store.is = 'mute'
    expect(await history.flush()).toBe(false)
    expect(await seconds(history, 1)).toEqual([5])
    history.record('m', 6)
    clock.advance(1)
    expect(await seconds(history, 2)).toEqual([5, 6])
    store.is = 'there'
    expect(await history.flush()).toBe(true)
    expect(await seconds(history, 2)).toEqual([5, 6])
    expect(await seconds(make(), 2)).toEqual([5, 6])
  })

  it('have everything once while it is being told', async () => {
    const { clock, make, seconds } = setUp('count')
    const history = make()
    history.record('m', 5)
    clock.advance(1)
    const [before, , during] = await Promise.all([
      seconds(history, 1),
      history.flush(),
      seconds(history, 1),
    ])
    expect([before, during, await seconds(history, 1)]).toEqual([[5], [5], [5]])
  })

  it('go on without the store, ask it seldom, and catch up', async () => {
    const { clock, store, make, seconds } = setUp('count')
    const errors: unknown[] = []
    const history = make({ onError: (error) => errors.push(error) })
    store.is = 'away'
    for (let time = 0; time < 1_200; time += 1) {
      history.record('m', 1)
      clock.advance(1)
    }
    expect(await history.flush()).toBe(false)
    expect(await seconds(history, 3)).toEqual([1, 1, 1])
    const { asked } = store
    for (let time = 0; time < 10; time += 1) await seconds(history, 3)
    expect(store.asked).toBe(asked)
    expect(errors.length).toBeGreaterThan(0)
    expect(history.stats().storeFailures).toBe(errors.length)
    store.is = 'there'
    expect(await history.flush()).toBe(true)
    const other = make()
    expect(await seconds(other, 1_200, 60_000)).toEqual(Array.from({ length: 20 }, () => 60))
    expect(await seconds(other, 3)).toEqual([1, 1, 1])
  })

  it('wait for a store that is away in bounded memory', async () => {
    const { clock, store, make } = setUp('count')
    const history = make()
    store.is = 'away'
    history.record('m', 1)
    const { bytes } = history.stats()
    expect(bytes).toBe(16 * (600 + 1_440 + 128 + 1_440))
    for (let time = 0; time < 500; time += 1) {
      clock.advance(600)
      history.record('m', 1)
      await history.flush()
    }
    expect(history.stats().bytes).toBe(bytes)
  })

  it('know for themselves what the store has lost', async () => {
    const { clock, make, seconds } = setUp('count')
    const history = make({ store: { ...bare(), add: async () => undefined } })
    history.record('m', 5)
    clock.advance(1)
    await history.flush()
    expect(await seconds(history, 1)).toEqual([5])
  })
})

/** A store that is always empty. */
function bare(): HistoryStore {
  const empty = memoryHistoryStore()
  return {
    add: (batch) => empty.add(batch),
    read: (request) => empty.read(request),
    metrics: (at) => empty.metrics(at),
    leave: (instance) => empty.leave(instance),
  }
}
