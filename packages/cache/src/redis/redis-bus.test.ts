import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { redisBus } from './redis-bus.ts'

/** A subscriber that does as it is told. */
function staged() {
  const resets = new Set<(state: 'lost' | 'back') => void>()
  const heard: string[] = []
  const stage = { fails: 0, asked: 0, ended: 0 }
  const deliveries: ((message: string) => void)[] = []
  const subscriber = {
    async subscribe(_: string, listener: (message: string) => void) {
      stage.asked += 1
      if (stage.fails > 0) {
        stage.fails -= 1
        throw new Error('not yet')
      }
      deliveries.push(listener)
      return async () => {
        stage.ended += 1
      }
    },
    onReset(listener: (state: 'lost' | 'back') => void) {
      resets.add(listener)
      return () => void resets.delete(listener)
    },
  }
  const bus = redisBus({ redis: { call: async () => 1 }, subscriber, random: () => 0.5 })
  const listener = {
    onMessage: (message: string) => heard.push(message),
    onReset: (state: string) => heard.push(state),
  }
  const reset = (state: 'lost' | 'back') => {
    for (const tell of [...resets]) tell(state)
  }
  const deliver = (message: string) => {
    for (const tell of deliveries) tell(message)
  }
  return { bus, listener, heard, stage, reset, deliver, resets }
}

describe('redisBus', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('tries again, ever later, until it listens', async () => {
    const { bus, listener, heard, stage, deliver } = staged()
    stage.fails = 8
    await bus.subscribe(listener)
    expect(heard).toEqual(['lost'])
    await vi.advanceTimersByTimeAsync(75)
    expect(stage.asked).toBe(2)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(stage.asked).toBe(9)
    deliver('hello')
    expect(heard).toEqual(['lost', 'back', 'hello'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is back only when its own channel is', async () => {
    const { bus, listener, heard, stage, reset } = staged()
    stage.fails = 1
    await bus.subscribe(listener)
    reset('back')
    expect(heard).toEqual(['lost'])
    reset('lost')
    await vi.advanceTimersByTimeAsync(1_000)
    // It was subscribed to, but the connection is lost: the subscriber will say when it is back.
    expect(heard).toEqual(['lost'])
    reset('back')
    reset('lost')
    reset('lost')
    reset('back')
    expect(heard).toEqual(['lost', 'back', 'lost', 'back'])
  })

  it('says nothing more once it was ended, whatever was under way', async () => {
    const { bus, listener, heard, stage, reset, deliver, resets } = staged()
    const end = await bus.subscribe(listener)
    await end()
    expect([stage.ended, resets.size]).toEqual([1, 0])
    deliver('late')
    reset('lost')
    stage.fails = 1
    const endEarly = await bus.subscribe(listener)
    await endEarly()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(stage.asked).toBe(2)
    expect(heard).toEqual(['lost'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('refuses what can’t publish or listen', () => {
    const { bus } = staged()
    const call = async () => 1
    const subscriber = {
      subscribe: async () => async () => undefined,
      onReset: () => () => undefined,
    }
    expect(() => redisBus({ redis: bus as never, subscriber })).toThrow(
      'redisBus: redis lacks call.',
    )
    expect(() => redisBus({ redis: { call }, subscriber: { call } as never })).toThrow(
      'redisBus: subscriber lacks subscribe, onReset.',
    )
    expect(() => redisBus({ redis: { call }, subscriber, channel: '' })).toThrow('channel is empty')
  })
})
