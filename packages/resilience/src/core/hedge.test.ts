import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBulkhead } from './bulkhead.ts'
import { compose } from './compose.ts'
import type { HedgeOptions } from './hedge.ts'
import { createHedge } from './hedge.ts'
import type { ExecuteOptions, Execution } from './policy.ts'
import { createRetry } from './retry.ts'
import { timelineOf } from './timeline.ts'
import { createTimeout } from './timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const unlimited = { ratio: 1000 }

/** A hedged call whose attempts end when the test says so. */
function call(options: Partial<HedgeOptions> = {}, told?: ExecuteOptions) {
  const hedge = createHedge({ after: 100, budget: unlimited, ...options })
  const attempts: (PromiseWithResolvers<string> & { readonly execution: Execution })[] = []
  const work = (execution: Execution) => {
    const attempt = { ...Promise.withResolvers<string>(), execution }
    attempts.push(attempt)
    return attempt.promise
  }
  const result = hedge.execute(work, told)
  result.catch(() => undefined)
  const attempt = (number: number) => {
    const begun = attempts[number - 1]
    if (begun === undefined) throw new Error(`Attempt ${number} has not begun.`)
    return begun
  }
  return { result, attempts, attempt }
}

describe('createHedge', () => {
  it('makes one call when the answer comes in time', async () => {
    const { result, attempts, attempt } = call()
    vi.advanceTimersByTime(99)
    attempt(1).resolve('first')
    await expect(result).resolves.toBe('first')
    expect(attempts).toHaveLength(1)
    expect(attempt(1).execution.signal.aborted).toBe(false)
  })

  it('sends a second attempt when the first is slow, and the faster one wins', async () => {
    const onHedge = vi.fn()
    const { result, attempt } = call({ onHedge })
    const { signal } = attempt(1).execution
    vi.advanceTimersByTime(100)
    expect(attempt(2).execution.attempt).toBe(2)
    attempt(2).resolve('second')
    await expect(result).resolves.toBe('second')
    expect(signal.aborted).toBe(true)
    expect(attempt(2).execution.signal.aborted).toBe(false)
    expect(onHedge).toHaveBeenCalledExactlyOnceWith({ attempt: 2, delayMs: 100 })
  })

  it('aborts the second when the first wins after all', async () => {
    const { result, attempt } = call()
    vi.advanceTimersByTime(100)
    attempt(1).resolve('first')
    await expect(result).resolves.toBe('first')
    expect(attempt(2).execution.signal.aborted).toBe(true)
    expect(attempt(1).execution.signal.aborted).toBe(false)
  })

  it('sends as many as it may, one after each delay', async () => {
    const { result, attempts, attempt } = call({ max: 2 })
    vi.advanceTimersByTime(199)
    expect(attempts).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(attempts).toHaveLength(3)
    vi.advanceTimersByTime(10_000)
    expect(attempts).toHaveLength(3)
    attempt(3).resolve('third')
    await expect(result).resolves.toBe('third')
  })

  it('hands late results over so that they can be given back', async () => {
    const onDiscarded = vi.fn(() => {
      throw new Error('That goes nowhere.')
    })
    const { result, attempt } = call({ onDiscarded })
    vi.advanceTimersByTime(100)
    attempt(2).resolve('second')
    await result
    attempt(1).resolve('late')
    await vi.waitFor(() => expect(onDiscarded).toHaveBeenCalledExactlyOnceWith('late'))
  })

  it('lets no late failure of a loser escape', async () => {
    const { result, attempt } = call()
    vi.advanceTimersByTime(100)
    attempt(2).resolve('second')
    await result
    attempt(1).reject(new Error('aborted'))
    await vi.advanceTimersByTimeAsync(1)
  })
})

describe('createHedge, failures', () => {
  it('throws at once what the only attempt throws, instead of hedging', async () => {
    const { result, attempts, attempt } = call()
    attempt(1).reject(new Error('down'))
    await expect(result).rejects.toThrow('down')
    vi.advanceTimersByTime(1000)
    expect(attempts).toHaveLength(1)
  })

  it('throws what the work throws before it returns', async () => {
    const hedge = createHedge({ after: 100 })
    const throwing = () => {
      throw new Error('now')
    }
    await expect(hedge.execute(throwing)).rejects.toThrow('now')
  })

  it('waits for the other attempt when one fails', async () => {
    const { result, attempt } = call()
    vi.advanceTimersByTime(100)
    attempt(1).reject(new Error('down'))
    await vi.advanceTimersByTimeAsync(10)
    attempt(2).resolve('second')
    await expect(result).resolves.toBe('second')
  })

  it('starts no hedge sooner because an attempt failed', async () => {
    const { result, attempts, attempt } = call({ max: 2 })
    vi.advanceTimersByTime(100)
    attempt(1).reject(new Error('down'))
    await vi.advanceTimersByTimeAsync(99)
    expect(attempts).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    attempt(3).resolve('third')
    await expect(result).resolves.toBe('third')
  })

  it('throws the error of the one that failed first when all have, and tells of each', async () => {
    const { result, attempt } = call()
    vi.advanceTimersByTime(100)
    attempt(2).reject(new TypeError('second'))
    await vi.advanceTimersByTimeAsync(50)
    attempt(1).reject(new RangeError('first'))
    await expect(result).rejects.toThrow('second')
    const error = await result.catch((reason: unknown) => reason)
    expect(timelineOf(error)).toMatchObject([
      { kind: 'hedge', attempt: 2, at: 100 },
      { kind: 'failure', attempt: 2, at: 100, reason: 'TypeError' },
      { kind: 'failure', attempt: 1, at: 150, reason: 'RangeError' },
    ])
  })

  it('ends the call with what an observer throws', async () => {
    const onHedge = () => {
      throw new Error('observer')
    }
    const { result, attempt } = call({ onHedge })
    vi.advanceTimersByTime(100)
    await expect(result).rejects.toThrow('observer')
    expect(attempt(1).execution.signal.aborted).toBe(true)
  })
})

describe('createHedge, aborts', () => {
  it('aborts both attempts and ends at once when the caller leaves', async () => {
    const controller = new AbortController()
    const onDiscarded = vi.fn()
    const { result, attempt } = call({ onDiscarded }, { signal: controller.signal })
    vi.advanceTimersByTime(100)
    controller.abort()
    await expect(result).rejects.toMatchObject({ code: 'aborted' })
    expect(attempt(1).execution.signal.aborted).toBe(true)
    expect(attempt(2).execution.signal.aborted).toBe(true)
    attempt(2).resolve('late')
    await vi.waitFor(() => expect(onDiscarded).toHaveBeenCalledExactlyOnceWith('late'))
  })

  it('sends no hedge after the caller has left', async () => {
    const controller = new AbortController()
    const { result, attempts } = call({}, { signal: controller.signal })
    vi.advanceTimersByTime(50)
    controller.abort()
    vi.advanceTimersByTime(1000)
    await expect(result).rejects.toMatchObject({ code: 'aborted' })
    expect(attempts).toHaveLength(1)
  })

  it('sends no hedge when the question for room has made the caller leave', async () => {
    const controller = new AbortController()
    const when = () => {
      controller.abort()
      return true
    }
    const { attempts } = call({ when }, { signal: controller.signal })
    vi.advanceTimersByTime(100)
    expect(attempts).toHaveLength(1)
  })

  it('ends with the limit of a timeout around it', async () => {
    const signals: AbortSignal[] = []
    const guarded = compose(
      createTimeout({ ms: 150, limit: 'total' }),
      createHedge({ after: 100, budget: unlimited }),
    )
    const result = guarded.execute(({ signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    })
    const ended = expect(result).rejects.toMatchObject({ code: 'timeout', limit: 'total' })
    await vi.advanceTimersByTimeAsync(150)
    await ended
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
  })

  it('ends the wait of a loser that is between two tries', async () => {
    const retried = vi.fn()
    const guarded = compose(
      createHedge({ after: 100, budget: unlimited }),
      createRetry({ backoff: { delay: () => 1000 }, onRetry: retried }),
    )
    let calls = 0
    const work = () => {
      calls += 1
      return calls === 1 ? Promise.reject(new Error('down')) : Promise.resolve('second')
    }
    const result = guarded.execute(work)
    await vi.advanceTimersByTimeAsync(100)
    await expect(result).resolves.toBe('second')
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(5000)
    expect(calls).toBe(2)
    expect(retried).toHaveBeenCalledTimes(1)
  })

  it('frees the place that a loser waited for in a bulkhead', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 5 })
    const guarded = compose(createHedge({ after: 100, budget: unlimited }), bulkhead)
    const work = Promise.withResolvers<string>()
    const result = guarded.execute(() => work.promise)
    await vi.advanceTimersByTimeAsync(100)
    expect(bulkhead).toMatchObject({ active: 1, queued: 1 })
    work.resolve('first')
    await expect(result).resolves.toBe('first')
    await vi.advanceTimersByTimeAsync(1)
    expect(bulkhead).toMatchObject({ active: 0, queued: 0 })
  })
})

describe('createHedge, how often', () => {
  async function run(hedge: ReturnType<typeof createHedge>, ms: number): Promise<number> {
    let attempts = 0
    const result = hedge.execute(() => {
      attempts += 1
      return new Promise<void>((resolve) => setTimeout(resolve, ms))
    })
    await vi.advanceTimersByTimeAsync(ms * 2)
    await result
    return attempts
  }

  it('hedges no more than the share of the calls that the budget allows', async () => {
    const hedge = createHedge({ after: 10 })
    let hedges = 0
    for (let i = 0; i < 100; i++) hedges += (await run(hedge, 20)) - 1
    expect(hedges).toBe(5)
  })

  it('shares a budget that it is given', () => {
    const budget = { onCall: vi.fn(), tryHedge: vi.fn(() => false) }
    const { attempts, attempt } = call({ budget })
    vi.advanceTimersByTime(100)
    expect(budget.onCall).toHaveBeenCalledTimes(1)
    expect(budget.tryHedge).toHaveBeenCalledTimes(1)
    expect(attempts).toHaveLength(1)
    attempt(1).resolve('first')
  })

  it('takes nothing out of the budget when there is no room for a hedge', () => {
    const budget = { onCall: vi.fn(), tryHedge: vi.fn(() => true) }
    const { attempts, attempt } = call({ budget, when: () => false })
    vi.advanceTimersByTime(1000)
    expect(attempts).toHaveLength(1)
    expect(budget.tryHedge).not.toHaveBeenCalled()
    attempt(1).resolve('first')
  })

  it('goes by the measured share of calls once it knows enough of them', async () => {
    const delays: number[] = []
    const hedge = createHedge({
      after: { quantile: 0.95, initialMs: 500 },
      budget: unlimited,
      onHedge: ({ delayMs }) => delays.push(delayMs),
    })
    await run(hedge, 600)
    expect(delays).toEqual([500])
    // With the first call, which took 600 ms, twenty: the 19th of them is 19 ms.
    for (let ms = 1; ms <= 19; ms++) await run(hedge, ms)
    expect(delays).toEqual([500])
    await run(hedge, 30)
    expect(delays).toEqual([500, 19])
  })

  it('counts a first attempt that was overtaken as at least that slow', async () => {
    const delays: number[] = []
    const hedge = createHedge({
      after: { quantile: 0.5, initialMs: 100 },
      budget: unlimited,
      onHedge: ({ delayMs }) => delays.push(delayMs),
    })
    for (let i = 0; i < 21; i++) {
      const result = hedge.execute(({ attempt }) => {
        return new Promise<void>((resolve) => setTimeout(resolve, attempt === 1 ? 1000 : 10))
      })
      await vi.advanceTimersByTimeAsync(1000)
      await result
    }
    expect(delays.at(0)).toBe(100)
    expect(delays.at(-1)).toBe(110)
  })

  it.each<[string, HedgeOptions]>([
    ['after', { after: -1 }],
    ['after.quantile', { after: { quantile: 95, initialMs: 100 } }],
    ['after.initialMs', { after: { quantile: 0.95, initialMs: Number.NaN } }],
    ['max', { after: 1, max: 0 }],
    ['ratio', { after: 1, budget: { ratio: Number.NaN } }],
  ])('refuses a senseless %s when it is made', (name, options) => {
    expect(() => createHedge(options)).toThrow(RangeError)
    expect(() => createHedge(options)).toThrow(name)
  })
})
