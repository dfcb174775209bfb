import type { Logger } from '@tidegate/logger'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ClosingParts, closerOf, closingOf } from './closing.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = new Promise<never>(() => {})

/** A gateway of parts that say when they are let go of, but for those that are given. */
function gatewayOf(parts: Partial<ClosingParts> = {}) {
  const events: string[] = []
  const lines: unknown[] = []
  const told = (name: string) => async () => void events.push(name)
  const closable = (name: string) => ({ close: told(name) })
  const write = (facts: unknown, message?: string) => void lines.push(message ?? facts, facts)
  const logger = { info: write, warn: write, close: told('log') } as unknown as Logger
  const drain = {
    start: async () => {
      events.push('server')
      return { destroyed: 0, aborted: false }
    },
  }
  const answers = { idle: told('answers idle'), ...closable('answers') }
  const shutdown = closingOf({
    ...({ logger, drain, answers, times: { delay: 0, timeout: 1_000 } } as unknown as ClosingParts),
    pools: [{ destroy: told('pools') }],
    demo: undefined,
    ...{ limits: closable('limits'), callers: closable('callers'), health: closable('health') },
    ...{ telemetry: { ...closable('telemetry'), endStreams: () => {} } as never },
    redis: closable('redis'),
    ...parts,
  })
  return { events, lines, shutdown, close: closerOf(shutdown, logger) }
}

describe('the end of a gateway', () => {
  it('lets go of each part once nothing needs it any more, the log last', async () => {
    const { events, lines, close, shutdown } = gatewayOf()
    expect(shutdown.ready).toBe(true)
    const closing = close()
    expect(shutdown.ready).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await closing
    expect(events.slice(0, 3)).toEqual(['server', 'answers idle', 'pools'])
    expect(events.slice(3, 7).sort()).toEqual(['answers', 'callers', 'health', 'limits'])
    expect(events.slice(7)).toEqual(['telemetry', 'redis', 'log'])
    expect(lines).toEqual(['stopped', 'stopped'])
    await close()
    expect(events).toHaveLength(10)
  })

  it('leaves behind what hangs or fails, says so, and comes to its end', async () => {
    const failing = { close: () => Promise.reject(new Error('refused')) }
    const { events, lines, close } = gatewayOf({
      pools: [{ destroy: () => never }],
      redis: failing,
    })
    const closing = close()
    await vi.advanceTimersByTimeAsync(60_000)
    await closing
    expect(events).toContain('telemetry')
    expect(lines).toMatchObject([
      'something did not close',
      { step: 'pools', reason: 'timeout' },
      'something did not close',
      { step: 'redis', reason: 'failed', err: { message: 'refused' } },
      ...['stopped', 'stopped'],
    ])
  })

  it('gives the drain all of its time, and answers no more than what it left', async () => {
    const drained = Promise.withResolvers<void>()
    const { events, close } = gatewayOf({
      times: { delay: 5_000, timeout: 25_000 },
      drain: {
        start: () => drained.promise.then(() => ({ destroyed: 0, aborted: false })),
      } as unknown as ClosingParts['drain'],
      answers: { idle: () => never, close: async () => {} } as unknown as ClosingParts['answers'],
    })
    const closing = close()
    await vi.advanceTimersByTimeAsync(29_990)
    expect(events).toEqual([])
    drained.resolve()
    await vi.advanceTimersByTimeAsync(20)
    await closing
    expect(events.at(-1)).toBe('log')
  })
})
