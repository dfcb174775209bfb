import { describe, expect, it } from 'vitest'
import { busConformance, driverConformance } from '../testing/conformance.ts'
import { memoryBus } from './memory-bus.ts'
import { memoryDriver } from './memory-driver.ts'

const open = () => {
  let clock = 1_800_000_000_000
  const driver = memoryDriver({ now: () => clock })
  return {
    driver,
    exact: true,
    advance(ms: number) {
      clock += ms
    },
    lose: () => driver.forget(),
  }
}

describe('memoryDriver conforms', () => {
  for (const { name, run } of driverConformance) it(name, () => run(open))
})

describe('memoryBus conforms', () => {
  for (const { name, run } of busConformance) {
    it(name, () =>
      run(() => {
        const bus = memoryBus()
        return { bus, elsewhere: bus, lose: () => bus.lose(), restore: () => bus.restore() }
      }),
    )
  }
})

describe('memoryDriver', () => {
  it('keeps so many entries, tags and bytes, those used last', async () => {
    const driver = memoryDriver({ maxEntries: 3, maxBytes: 10_000 })
    const write = (key: string, length: number) =>
      driver.write([{ key, bytes: new Uint8Array(length), stamp: key, ttlMs: 1_000 }])
    for (const key of ['a', 'b', 'c']) await write(key, 1)
    await driver.read(['a'])
    await write('d', 1)
    const there = async () => {
      const read = await driver.read(['a', 'b', 'c', 'd'])
      return read.map(({ stamp }) => stamp)
    }
    expect(await there()).toEqual(['a', undefined, 'c', 'd'])
    await write('d', 9_800)
    expect(await there()).toEqual([undefined, undefined, undefined, 'd'])
    expect(await write('d', 10_000)).toEqual([false])
    await driver.know(['1', '2', '3', '4'], 1_000, 1)
    expect((await driver.epochs(['1', '2', '3', '4'])).map(Boolean)).toEqual([
      false,
      true,
      true,
      true,
    ])
  })

  it('refuses bounds that are none', () => {
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => memoryDriver({ maxEntries: bad })).toThrow('maxEntries must be a whole number')
      expect(() => memoryDriver({ maxBytes: bad })).toThrow('maxBytes must be a whole number')
    }
  })
})

describe('memoryBus', () => {
  it('goes on for the others when a listener throws', async () => {
    const bus = memoryBus()
    const heard: string[] = []
    const fails = () => {
      throw new Error('mine')
    }
    await bus.subscribe({ onMessage: fails, onReset: fails })
    await bus.subscribe({
      onMessage: (text) => heard.push(text),
      onReset: (state) => heard.push(state),
    })
    await bus.publish('text')
    await Promise.resolve()
    bus.lose()
    bus.lose()
    await expect(bus.publish('lost text')).rejects.toThrow('the bus is lost')
    bus.restore()
    expect(heard).toEqual(['text', 'lost', 'back'])
  })
})
