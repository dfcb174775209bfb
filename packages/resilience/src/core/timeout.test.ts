import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AbortedError, TimeoutError } from './errors.ts'
import type { Execution } from './policy.ts'
import { timelineOf } from './timeline.ts'
import { createTimeout } from './timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const never = (): Promise<never> => new Promise(() => {})

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms, value))
}

describe('createTimeout', () => {
  it('returns what comes in time, also from work that returns no promise', async () => {
    const timeout = createTimeout({ ms: 100 })
    expect(await timeout.execute(() => 7)).toBe(7)
    const result = timeout.execute(() => after(99, 'in time'))
    await vi.advanceTimersByTimeAsync(99)
    expect(await result).toBe('in time')
  })

  it('throws on what the work throws, at once or later', async () => {
    const error = new Error('own')
    const timeout = createTimeout({ ms: 100 })
    const atOnce = timeout.execute(() => {
      throw error
    })
    await expect(atOnce).rejects.toBe(error)
    await expect(timeout.execute(() => Promise.reject(error))).rejects.toBe(error)
  })

  it('ends at the limit, even when the work takes no notice', async () => {
    const refused = expect(createTimeout({ ms: 100 }).execute(never)).rejects.toMatchObject({
      code: 'timeout',
      limit: 'attempt',
      limitMs: 100,
      message: 'Not done within 100 ms (limit: attempt).',
      timeline: [{ kind: 'failure', attempt: 1, at: 0, ms: 100, reason: 'timeout' }],
    })
    await vi.advanceTimersByTimeAsync(100)
    await refused
  })

  it('says which limit it is', async () => {
    const refused = expect(
      createTimeout({ ms: 100, limit: 'total' }).execute(never),
    ).rejects.toMatchObject({ limit: 'total', retryable: false })
    await vi.advanceTimersByTimeAsync(100)
    await refused
  })

  it('aborts the signal at the limit, with its error as the reason', async () => {
    let told: AbortSignal | undefined
    const refused = expect(
      createTimeout({ ms: 100 }).execute(({ signal }) => {
        told = signal
        return never()
      }),
    ).rejects.toThrow(TimeoutError)
    expect(told?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(100)
    await refused
    expect(told?.reason).toBeInstanceOf(TimeoutError)
  })

  it('gives an aborted signal to work that asks for it only afterwards', async () => {
    let late: Execution | undefined
    const refused = expect(
      createTimeout({ ms: 100 }).execute((execution) => {
        late = execution
        return never()
      }),
    ).rejects.toThrow(TimeoutError)
    await vi.advanceTimersByTimeAsync(100)
    await refused
    expect(late?.signal.reason).toBeInstanceOf(TimeoutError)
  })

  it('ignores what becomes of the work after the limit', async () => {
    const result = createTimeout({ ms: 100 }).execute(async ({ signal }) => {
      await after(200, undefined)
      throw signal.reason
    })
    const refused = expect(result).rejects.toThrow(TimeoutError)
    await vi.advanceTimersByTimeAsync(300)
    await refused
  })

  it('leaves the signal of work that was done in time to the caller', async () => {
    const controller = new AbortController()
    const signal = await createTimeout({ ms: 100 }).execute((execution) => execution.signal, {
      signal: controller.signal,
    })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(signal.aborted).toBe(false)
    controller.abort('gone')
    expect(signal.reason).toBe('gone')
  })

  it('ends at the caller’s abort with an AbortedError and clears its timer', async () => {
    const controller = new AbortController()
    const result = createTimeout({ ms: 100 }).execute(never, { signal: controller.signal })
    const refused = expect(result).rejects.toMatchObject({ code: 'aborted', cause: 'gone' })
    await vi.advanceTimersByTimeAsync(50)
    controller.abort('gone')
    expect(vi.getTimerCount()).toBe(0)
    await refused
  })

  it('ends an inner limit together with an outer one', async () => {
    const outer = createTimeout({ ms: 50, limit: 'total' })
    const inner = createTimeout({ ms: 100 })
    let innerError: unknown
    const result = outer.execute(async (execution) => {
      await inner.execute(never, execution).catch((error: unknown) => {
        innerError = error
      })
    })
    const refused = expect(result).rejects.toMatchObject({ code: 'timeout', limit: 'total' })
    await vi.advanceTimersByTimeAsync(50)
    await refused
    expect(vi.getTimerCount()).toBe(0)
    expect(innerError).toBeInstanceOf(AbortedError)
  })

  it('tells how long an error of the work took', async () => {
    const error = new Error('late')
    const result = createTimeout({ ms: 100 }).execute(async () => {
      await after(30, undefined)
      throw error
    })
    const refused = expect(result).rejects.toBe(error)
    await vi.advanceTimersByTimeAsync(30)
    await refused
    expect(timelineOf(error)).toEqual([
      { kind: 'failure', attempt: 1, at: 0, ms: 30, reason: 'Error' },
    ])
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('refuses %d ms', (ms) => {
    expect(() => createTimeout({ ms })).toThrow(RangeError)
  })
})
