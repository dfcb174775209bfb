import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackoff } from './backoff.ts'
import {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  RateLimitedError,
  TimeoutError,
} from './errors.ts'
import { createRetry, type RetryEvent, type RetryOptions } from './retry.ts'
import { createRetryBudget } from './retry-budget.ts'
import { timelineOf } from './timeline.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const steady = createBackoff({ initial: 100, multiplier: 1, jitter: 'none' })

/** Fails with these errors in turn, then answers with the number of calls. */
function failing(...errors: readonly unknown[]) {
  const calls: number[] = []
  const began = performance.now()
  const work = ({ attempt }: { attempt: number }): number => {
    expect(attempt).toBe(calls.length + 1)
    calls.push(performance.now() - began)
    if (calls.length <= errors.length) throw errors[calls.length - 1]
    return calls.length
  }
  return { calls, work }
}

/** The outcome of a call that is left to run to its end. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.catch((error: unknown) => error)
  await vi.runAllTimersAsync()
  return settled
}

describe('createRetry', () => {
  it('does not repeat what succeeds', async () => {
    const { calls, work } = failing()
    expect(await createRetry().execute(work)).toBe(1)
    expect(calls).toEqual([0])
  })

  it('repeats what fails until it succeeds, waiting in between', async () => {
    const { calls, work } = failing(new Error('one'), new Error('two'))
    expect(await outcome(createRetry({ backoff: steady }).execute(work))).toBe(3)
    expect(calls).toEqual([0, 100, 200])
  })

  it('throws the last error as it is when the retries are used up', async () => {
    const last = new Error('three')
    const { calls, work } = failing(new Error('one'), new Error('two'), last)
    expect(await outcome(createRetry().execute(work))).toBe(last)
    expect(calls).toHaveLength(3)
  })

  it('counts retries, not tries', async () => {
    const none = failing(new Error('one'))
    await outcome(createRetry({ retries: 0 }).execute(none.work))
    expect(none.calls).toHaveLength(1)
    const five = failing(...Array.from({ length: 9 }, () => new Error('again')))
    await outcome(createRetry({ retries: 5 }).execute(five.work))
    expect(five.calls).toHaveLength(6)
  })

  it('hands each wait to the backoff as the previous one', async () => {
    const asked: [number, number][] = []
    const backoff = {
      delay: (retry: number, previousMs: number) => {
        asked.push([retry, previousMs])
        return retry * 10
      },
    }
    const { work } = failing(1, 2, 3)
    await outcome(createRetry({ retries: 3, backoff }).execute(work))
    expect(asked).toEqual([
      [1, 0],
      [2, 10],
      [3, 20],
    ])
  })

  it('tells each retry before its wait', async () => {
    const events: RetryEvent[] = []
    const error = new Error('one')
    const { work } = failing(error)
    const retry = createRetry({ backoff: steady, onRetry: (event) => events.push(event) })
    await outcome(retry.execute(work))
    expect(events).toEqual([{ attempt: 1, error, delayMs: 100 }])
  })

  it.each([
    ['an abort', new AbortedError('gone')],
    ['a full bulkhead', new BulkheadFullError('full')],
  ])('never repeats %s, even when told to', async (_, error) => {
    const { calls, work } = failing(error)
    expect(await outcome(createRetry({ retryable: () => true }).execute(work))).toBe(error)
    expect(calls).toHaveLength(1)
  })

  it('repeats an attempt that took too long, but not a call that did', async () => {
    const attempt = failing(new TimeoutError('attempt', 5))
    await outcome(createRetry().execute(attempt.work))
    expect(attempt.calls).toHaveLength(2)
    for (const limit of ['total', 'queue'] as const) {
      const whole = failing(new TimeoutError(limit, 5))
      await outcome(createRetry().execute(whole.work))
      expect(whole.calls, limit).toHaveLength(1)
    }
  })

  it('asks which errors are worth it', async () => {
    const error = new TypeError('no')
    const { calls, work } = failing(new Error('yes'), error)
    const retryable = (it: unknown): boolean => !(it instanceof TypeError)
    expect(await outcome(createRetry({ retryable }).execute(work))).toBe(error)
    expect(calls).toHaveLength(2)
  })

  describe('with a callee that says when', () => {
    const options: RetryOptions = { backoff: steady, maxElapsedMs: 1_000 }

    it.each([
      [700, [0, 700]],
      [1_000, [0, 1_000]],
      [50, [0, 100]],
      [Number.NaN, [0, 100]],
      [-5, [0, 100]],
    ])('asked for %d ms, tries at %j', async (delayMs, at) => {
      const { calls, work } = failing(new Error('later'))
      await outcome(createRetry({ ...options, retryable: () => ({ delayMs }) }).execute(work))
      expect(calls).toEqual(at)
    })

    it('gives up at once when that is too late', async () => {
      const error = new Error('much later')
      const { work } = failing(error)
      const retry = createRetry({ ...options, retryable: () => ({ delayMs: 1_001 }) })
      await expect(retry.execute(work)).rejects.toBe(error)
    })

    it('waits for the probe of an open circuit, and for a limit, if there is time', async () => {
      const inTime = failing(new CircuitOpenError(400), new RateLimitedError(300))
      expect(await outcome(createRetry(options).execute(inTime.work))).toBe(3)
      expect(inTime.calls).toEqual([0, 401, 702])
      for (const ms of [30_000, Number.POSITIVE_INFINITY]) {
        const tooLate = failing(new CircuitOpenError(ms))
        const retry = createRetry({ ...options, retryable: () => true })
        await expect(retry.execute(tooLate.work)).rejects.toThrow(CircuitOpenError)
        expect(tooLate.calls).toHaveLength(1)
      }
    })

    it('never waits longer than a timer can', async () => {
      const { work } = failing(new CircuitOpenError(Number.POSITIVE_INFINITY))
      const retry = createRetry({ maxElapsedMs: Number.POSITIVE_INFINITY })
      await expect(retry.execute(work)).rejects.toThrow(CircuitOpenError)
    })
  })

  it('begins no try after the time is up', async () => {
    const { calls, work } = failing(...Array.from({ length: 20 }, () => new Error('again')))
    await outcome(createRetry({ retries: 20, backoff: steady, maxElapsedMs: 250 }).execute(work))
    expect(calls).toEqual([0, 100, 200])
  })

  it('measures the time by its own clock', async () => {
    let now = 0
    const { calls, work } = failing(new Error('slow'), new Error('slow'))
    const retry = createRetry({ backoff: steady, maxElapsedMs: 250, now: () => now })
    const slow = (told: { attempt: number }): number => {
      now += 200
      return work(told)
    }
    await expect(retry.execute(slow)).rejects.toThrow('slow')
    expect(calls).toHaveLength(1)
  })

  describe('with a budget', () => {
    it('pays for each retry and none for the first try', async () => {
      const budget = createRetryBudget({ ratio: 0, perSecond: 1, windowMs: 3_000 })
      const { work } = failing(1, 2)
      await outcome(createRetry({ budget }).execute(work))
      expect(budget.balance).toBe(1)
    })

    it('tells the budget of each call, once', async () => {
      const budget = createRetryBudget({ ratio: 1, perSecond: 0 })
      const { work } = failing(1)
      await outcome(createRetry({ budget }).execute(work))
      expect(budget.balance).toBe(0)
      await createRetry({ budget }).execute(() => 'well')
      expect(budget.balance).toBe(1)
    })

    it('throws at once when it is spent, and says so in the timeline', async () => {
      const budget = createRetryBudget({ ratio: 0, perSecond: 0 })
      const error = new Error('one')
      const { calls, work } = failing(error)
      await expect(createRetry({ budget }).execute(work)).rejects.toBe(error)
      expect(calls).toHaveLength(1)
      expect(timelineOf(error).at(-1)).toEqual({ kind: 'rejected', at: 0, reason: 'retry_budget' })
    })

    it('takes nothing for what would not be repeated anyway', async () => {
      const budget = createRetryBudget({ ratio: 0, perSecond: 1, windowMs: 1_000 })
      for (const options of [{ retryable: () => false }, { retries: 0 }, { maxElapsedMs: 0 }]) {
        await outcome(createRetry({ budget, ...options }).execute(failing(1).work))
      }
      expect(budget.balance).toBe(1)
    })
  })

  describe('when the caller aborts', () => {
    it('ends the wait at once and never calls the work again', async () => {
      const controller = new AbortController()
      const { calls, work } = failing(...Array.from({ length: 9 }, () => new Error('again')))
      const retry = createRetry({ backoff: createBackoff({ initial: 800, jitter: 'none' }) })
      const result = retry.execute(work, { signal: controller.signal })
      const refused = expect(result).rejects.toMatchObject({ code: 'aborted', cause: 'gone' })
      await vi.advanceTimersByTimeAsync(100)
      controller.abort('gone')
      await refused
      expect(vi.getTimerCount()).toBe(0)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(calls).toEqual([0])
    })

    it('does not repeat work that the abort made fail, nor tell or pay for a retry', async () => {
      const controller = new AbortController()
      const budget = createRetryBudget({ ratio: 0, perSecond: 1, windowMs: 1_000 })
      const onRetry = vi.fn()
      let calls = 0
      const result = createRetry({ retryable: () => true, budget, onRetry }).execute(
        ({ signal }) => {
          calls++
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          })
        },
        { signal: controller.signal },
      )
      const refused = expect(result).rejects.toThrow(AbortedError)
      controller.abort()
      await refused
      await vi.runAllTimersAsync()
      expect(calls).toBe(1)
      expect(onRetry).not.toHaveBeenCalled()
      expect(budget.balance).toBe(1)
    })

    it('does not call the work at all when it was so before', async () => {
      const { calls, work } = failing()
      const result = createRetry().execute(work, { signal: AbortSignal.abort('early') })
      await expect(result).rejects.toMatchObject({ code: 'aborted', cause: 'early' })
      expect(calls).toEqual([])
    })

    it('does not call the work when the observer aborts', async () => {
      const controller = new AbortController()
      const { calls, work } = failing(new Error('one'))
      const retry = createRetry({ onRetry: () => controller.abort() })
      await expect(retry.execute(work, { signal: controller.signal })).rejects.toThrow(AbortedError)
      await vi.runAllTimersAsync()
      expect(calls).toHaveLength(1)
    })
  })

  it('tells its history in the error', async () => {
    const socket = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const { work } = failing(Object.assign(new Error('busy'), { status: 503 }), socket)
    await outcome(createRetry({ retries: 1, backoff: steady }).execute(work))
    expect(timelineOf(socket)).toEqual([
      { kind: 'failure', attempt: 1, at: 0, ms: 0, reason: '503' },
      { kind: 'wait', at: 0, ms: 100, reason: 'backoff' },
      { kind: 'failure', attempt: 2, at: 100, ms: 0, reason: 'ECONNRESET' },
    ])
  })

  it('leaves a failure as the work has told it', async () => {
    const error = new Error('busy')
    const result = createRetry({ retries: 0 }).execute(({ timeline, attempt }) => {
      timeline.add({ kind: 'failure', attempt, endpoint: 'http://a', reason: '503' })
      throw error
    })
    await expect(result).rejects.toBe(error)
    expect(timelineOf(error)).toHaveLength(1)
    expect(timelineOf(error)[0]).toMatchObject({ endpoint: 'http://a' })
  })

  it('refuses options that make no sense', () => {
    expect(() => createRetry({ retries: -1 })).toThrow('retries must be a whole number from 0')
    expect(() => createRetry({ retries: 1.5 })).toThrow(RangeError)
    expect(() => createRetry({ maxElapsedMs: Number.NaN })).toThrow(RangeError)
  })
})
