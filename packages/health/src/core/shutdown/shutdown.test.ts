import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createShutdown, type ShutdownOptions } from './shutdown.ts'
import { shutdownOnSignals } from './signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function setUp(options: ShutdownOptions = {}) {
  const log: string[] = []
  const shutdown = createShutdown({
    timeout: '10s',
    now: () => Date.now(),
    onPhase: (phase) => void log.push(phase),
    ...options,
  })
  /** A step that takes its time. */
  const taking = (name: string, ms: number) => async () => {
    log.push(`${name} begins`)
    await new Promise((resolve) => setTimeout(resolve, ms))
    log.push(`${name} ends`)
  }
  return { log, shutdown, taking }
}

describe('createShutdown', () => {
  it('turns unready first, waits, and then closes in order', async () => {
    const { log, shutdown, taking } = setUp({ delay: '5s' })
    shutdown.onClose('redis', taking('redis', 10), { after: ['server', 'jobs'] })
    shutdown.onClose('server', taking('server', 100))
    shutdown.onClose('jobs', taking('jobs', 50))
    expect([shutdown.phase, shutdown.ready]).toEqual(['serving', true])
    const ended = shutdown.start()
    expect([shutdown.phase, shutdown.ready]).toEqual(['unready', false])
    await wait(4_999)
    expect(log).toEqual(['unready'])
    await wait(200)
    expect(log).toEqual([
      ...['unready', 'closing', 'server begins', 'jobs begins', 'jobs ends', 'server ends'],
      ...['redis begins', 'redis ends', 'closed'],
    ])
    expect(await ended).toEqual({ faults: [], aborted: false, tookMs: 5_110 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('joins later calls to the first', async () => {
    const { shutdown } = setUp()
    const close = vi.fn()
    shutdown.onClose('a', close)
    const both = [shutdown.start(), shutdown.start()]
    await wait(0)
    const [first, second] = await Promise.all(both)
    expect(first).toBe(second)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('goes on after a step that fails, and tells of it', async () => {
    const { shutdown } = setUp()
    const fault = new Error('no')
    const close = vi.fn()
    shutdown.onClose('sync', () => {
      throw fault
    })
    shutdown.onClose('async', () => Promise.reject(fault))
    shutdown.onClose('last', close, { after: ['sync', 'async'] })
    const ended = shutdown.start()
    await wait(0)
    expect((await ended).faults).toEqual([
      { step: 'sync', reason: 'failed', error: fault },
      { step: 'async', reason: 'failed', error: fault },
    ])
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('gives each step of a chain its share of the time, and those after it what it leaves', async () => {
    const { shutdown } = setUp({ timeout: '12s' })
    const given: Record<string, number> = {}
    const note = (name: string, takes: number) =>
      [
        name,
        async ({ remainingMs }: { remainingMs: number }) => {
          given[name] = remainingMs
          await new Promise((resolve) => setTimeout(resolve, takes))
        },
      ] as const
    shutdown.onClose(...note('server', 3_000), { share: 4 })
    shutdown.onClose(...note('pools', 1_000), { after: ['server'] })
    shutdown.onClose(...note('log', 0), { after: ['pools'] })
    shutdown.onClose(...note('other', 0))
    const ended = shutdown.start()
    await wait(12_000)
    await ended
    expect(given).toEqual({ server: 8_000, other: 12_000, pools: 4_500, log: 8_000 })
  })

  it('aborts a step whose time is over, and ends in time with all of them hanging', async () => {
    const { shutdown } = setUp({ timeout: '9s' })
    const signals: AbortSignal[] = []
    const hang = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    shutdown.onClose('a', hang)
    shutdown.onClose('b', hang, { after: ['a'] })
    shutdown.onClose('c', hang, { after: ['b'] })
    const ended = shutdown.start()
    await wait(3_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await wait(6_000)
    expect(await ended).toMatchObject({
      tookMs: 9_000,
      faults: ['a', 'b', 'c'].map((step) => ({ step, reason: 'timeout' })),
    })
  })

  it('takes a step that nobody registered for one that has ended', async () => {
    const { shutdown } = setUp()
    const close = vi.fn()
    shutdown.onClose('a', close, { after: ['redis'] })
    const ended = shutdown.start()
    await wait(0)
    expect((await ended).faults).toEqual([])
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('cuts everything short when aborted', async () => {
    const { shutdown } = setUp({ delay: '1m' })
    let signal: AbortSignal | undefined
    const close = vi.fn()
    shutdown.onClose('a', (context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    shutdown.onClose('b', close, { after: ['a'] })
    const ended = shutdown.start()
    await wait(60_000)
    void shutdown.abort()
    await wait(0)
    expect(await ended).toMatchObject({
      aborted: true,
      faults: [
        { step: 'a', reason: 'aborted' },
        { step: 'b', reason: 'aborted' },
      ],
    })
    expect(signal?.aborted).toBe(true)
    expect(close).not.toHaveBeenCalled()
  })

  it('says which steps wait for each other', () => {
    const { shutdown } = setUp()
    const close = () => undefined
    shutdown.onClose('a', close, { after: ['b'] })
    shutdown.onClose('b', close, { after: ['x', 'c'] })
    expect(() => shutdown.onClose('c', close, { after: ['a'] })).toThrow(
      /wait for each other: c after a after b after c/,
    )
    expect(() => shutdown.onClose('d', close, { after: ['d'] })).toThrow(
      expect.objectContaining({ code: 'cycle' }),
    )
  })

  it('refuses what can’t be meant', async () => {
    const { shutdown } = setUp()
    const close = () => undefined
    shutdown.onClose('a', close)
    expect(() => shutdown.onClose('a', close)).toThrow(/"a" already/)
    expect(() => shutdown.onClose('b', close, { share: 0 })).toThrow(/share is 0/)
    expect(() => shutdown.onClose('b', close, { after: 'a' as never })).toThrow(/list of names/)
    expect(() => createShutdown({ timeout: 0 })).toThrow(/timeout is 0/)
    const ended = shutdown.start()
    expect(() => shutdown.onClose('b', close)).toThrow(expect.objectContaining({ code: 'closed' }))
    await wait(0)
    await ended
  })
})

describe('shutdownOnSignals', () => {
  it('starts at the first signal and cuts short at a second, not at the same one passed on', async () => {
    const { shutdown } = setUp()
    shutdown.onClose('a', () => new Promise(() => undefined))
    const source = new EventEmitter()
    const told: unknown[] = []
    const remove = shutdownOnSignals(shutdown, source, {
      onSignal: (signal) => void told.push(signal),
      onClosed: ({ aborted }) => void told.push({ aborted }),
      onSecond: (code) => void told.push(code),
      now: () => Date.now(),
    })
    source.emit('SIGINT', 'SIGINT')
    await wait(100)
    source.emit('SIGINT', 'SIGINT')
    expect(told).toEqual(['SIGINT'])
    await wait(1)
    source.emit('SIGTERM', 'SIGTERM')
    await wait(0)
    expect(told).toEqual(['SIGINT', 143, { aborted: true }])
    remove()
    expect(source.eventNames()).toEqual([])
  })
})
