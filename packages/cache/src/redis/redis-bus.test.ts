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
  const bus = redisBus({
    redis: { call: async () => 1 },
    subscriber,
    heartbeatMs: 0,
    random: () => 0.5,
  })
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
    for (const heartbeatMs of [-1, 0.5, Number.NaN, 2 ** 31]) {
      expect(() => redisBus({ redis: { call }, subscriber, heartbeatMs })).toThrow(
        'heartbeatMs must',
      )
    }
  })

  describe('with a heartbeat', () => {
    const everyMs = 1_000

    /** Redis, where messages may get lost though all else works. */
    function wire() {
      const listeners = new Map<string, Set<(message: string) => void>>()
      const resets = new Set<(state: 'lost' | 'back') => void>()
      const line = { cut: false, refuses: false, reconnects: 0 }
      const heard: string[] = []
      const redis = {
        async call(
          _: string,
          channel: string | number | Buffer,
          message: string | number | Buffer,
        ) {
          if (line.refuses) throw new Error('refused')
          if (line.cut) return 1
          for (const listener of listeners.get(String(channel)) ?? []) listener(String(message))
          return 1
        },
      }
      const subscriber = {
        async subscribe(channel: string, listener: (message: string) => void) {
          const all = listeners.get(channel) ?? new Set()
          listeners.set(channel, all.add(listener))
          return async () => void all.delete(listener)
        },
        onReset(listener: (state: 'lost' | 'back') => void) {
          resets.add(listener)
          return () => void resets.delete(listener)
        },
        reconnect() {
          line.reconnects += 1
        },
      }
      const bus = redisBus({ redis, subscriber, heartbeatMs: everyMs })
      const listener = {
        onMessage: (message: string) => heard.push(message),
        onReset: (state: string) => heard.push(state),
      }
      const reset = (state: 'lost' | 'back') => {
        for (const tell of [...resets]) tell(state)
      }
      return { bus, listener, heard, line, reset }
    }

    it('says nothing while messages arrive', async () => {
      const { bus, listener, heard } = wire()
      const end = await bus.subscribe(listener)
      await vi.advanceTimersByTimeAsync(50 * everyMs)
      expect(heard).toEqual([])
      await end()
      expect(vi.getTimerCount()).toBe(0)
    })

    it('says that messages are lost within two beats, leaves the connection, and tells when they come', async () => {
      const { bus, listener, heard, line } = wire()
      await bus.subscribe(listener)
      await vi.advanceTimersByTimeAsync(10 * everyMs)
      line.cut = true
      await vi.advanceTimersByTimeAsync(2 * everyMs + 1)
      expect([heard, line.reconnects]).toEqual([['lost'], 1])
      await vi.advanceTimersByTimeAsync(2 * everyMs)
      expect([heard, line.reconnects]).toEqual([['lost'], 3])
      line.cut = false
      await vi.advanceTimersByTimeAsync(everyMs)
      expect(heard).toEqual(['lost', 'back'])
      await vi.advanceTimersByTimeAsync(10 * everyMs)
      expect(heard).toEqual(['lost', 'back'])
    })

    it('keeps its connection when it is the sending that fails', async () => {
      const { bus, listener, heard, line } = wire()
      await bus.subscribe(listener)
      line.refuses = true
      await vi.advanceTimersByTimeAsync(3 * everyMs)
      expect([heard, line.reconnects]).toEqual([['lost'], 0])
      line.refuses = false
      await vi.advanceTimersByTimeAsync(2 * everyMs)
      expect(heard).toEqual(['lost', 'back'])
    })

    it('leaves a loss that is known to the subscriber', async () => {
      const { bus, listener, heard, line, reset } = wire()
      await bus.subscribe(listener)
      await vi.advanceTimersByTimeAsync(2 * everyMs)
      reset('lost')
      line.cut = true
      await vi.advanceTimersByTimeAsync(10 * everyMs)
      line.cut = false
      reset('back')
      expect([heard, line.reconnects]).toEqual([['lost', 'back'], 0])
      await vi.advanceTimersByTimeAsync(10 * everyMs)
      expect(heard).toEqual(['lost', 'back'])
    })
  })
})
