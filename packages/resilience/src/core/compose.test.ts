import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackoff } from './backoff.ts'
import { createCircuitBreaker } from './breaker/circuit-breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import { compose } from './compose.ts'
import { createFallback } from './fallback.ts'
import { createLimit } from './limit.ts'
import type { ExecuteOptions, Execution, Policy, Work } from './policy.ts'
import { createRetry } from './retry.ts'
import { timelineOf } from './timeline.ts'
import { createTimeout } from './timeout.ts'

const steady = createBackoff({ initial: 100, multiplier: 1, jitter: 'none' })
const never = (): Promise<never> => new Promise(() => {})

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms, value))
}

/** The order of the design, with everything but the fallback. */
function pipeline() {
  return compose(
    createTimeout({ ms: 1_000, limit: 'total' }),
    createRetry({ backoff: steady }),
    createLimit({ limit: () => ({ allowed: true }) }),
    createCircuitBreaker(),
    createBulkhead({ max: 10 }),
    createTimeout({ ms: 300 }),
  )
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('compose', () => {
  it('just calls the work without policies, and turns what it throws into a rejection', async () => {
    const error = new Error('own')
    expect(await compose().execute(({ attempt }) => attempt)).toBe(1)
    const failing = compose().execute(() => {
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect(timelineOf(error)).toHaveLength(1)
  })

  it('puts the first policy outermost', async () => {
    const log: string[] = []
    const named = (name: string): Policy => ({
      async execute<T>(work: Work<T>, options?: ExecuteOptions): Promise<T> {
        log.push(`${name} in`)
        try {
          return await compose().execute(work, options)
        } finally {
          log.push(`${name} out`)
        }
      },
    })
    await compose(named('a'), named('b'), compose(named('c'), named('d'))).execute(() => {
      log.push('work')
    })
    const inwards = ['a in', 'b in', 'c in', 'd in']
    expect(log).toEqual([...inwards, 'work', 'd out', 'c out', 'b out', 'a out'])
  })

  it('means something else in another order', async () => {
    let answered = 0
    const fallback = createFallback({ fallback: () => ++answered })
    const retry = createRetry({ retries: 1, backoff: steady })
    let calls = 0
    const work = (): never => {
      calls++
      throw new Error('down')
    }
    const outside = compose(fallback, retry).execute<number>(work)
    await vi.runAllTimersAsync()
    expect([await outside, calls]).toEqual([1, 2])
    expect([await compose(retry, fallback).execute<number>(work), calls]).toEqual([2, 3])
  })

  it('can be used again and again, also at the same time', async () => {
    const policy = pipeline()
    const results = [1, 2, 3].map((value) => policy.execute(() => after(50, value)))
    await vi.advanceTimersByTimeAsync(50)
    expect(await Promise.all(results)).toEqual([1, 2, 3])
    expect(await policy.execute(() => 4)).toBe(4)
  })

  it('gives each try the attempt’s limit and all of them the total one', async () => {
    const starts: number[] = []
    const began = performance.now()
    const result = pipeline().execute(({ attempt, signal }) => {
      starts.push(performance.now() - began)
      expect(signal.aborted).toBe(false)
      return attempt === 3 ? after(100, 'third') : never()
    })
    await vi.advanceTimersByTimeAsync(900)
    expect(await result).toBe('third')
    expect(starts).toEqual([0, 400, 800])
  })

  it('aborts the signal of an inner limit when the outer one is reached', async () => {
    const controller = new AbortController()
    for (const signal of [undefined, controller.signal]) {
      const signals: AbortSignal[] = []
      const result = compose(
        createTimeout({ ms: 50, limit: 'total' }),
        createRetry(),
        createTimeout({ ms: 100 }),
      ).execute(
        (told) => {
          signals.push(told.signal)
          return never()
        },
        { signal },
      )
      const refused = expect(result).rejects.toMatchObject({ code: 'timeout', limit: 'total' })
      await vi.advanceTimersByTimeAsync(50)
      await refused
      expect(signals.map(({ reason }) => reason.limit)).toEqual(['total'])
    }
  })

  it('tells the whole history in the last error', async () => {
    const busy = Object.assign(new Error('busy'), { status: 503 })
    const policy = compose(
      createTimeout({ ms: 700, limit: 'total' }),
      createRetry({ retries: 5, backoff: steady }),
      createCircuitBreaker({ trip: { kind: 'consecutive', failures: 2 }, openForMs: 250 }),
      createTimeout({ ms: 300 }),
    )
    const result = policy.execute(({ attempt }) => {
      if (attempt === 1) throw busy
      return never()
    })
    const refused = expect(result).rejects.toMatchObject({
      code: 'timeout',
      limit: 'total',
      timeline: [
        { kind: 'failure', attempt: 1, at: 0, ms: 0, reason: '503' },
        { kind: 'wait', at: 0, ms: 100, reason: 'backoff' },
        { kind: 'failure', attempt: 2, at: 100, ms: 300, reason: 'timeout' },
        { kind: 'wait', at: 400, ms: 100, reason: 'backoff' },
        { kind: 'rejected', attempt: 3, at: 500, reason: 'circuit_open', breaker: 'open' },
        { kind: 'wait', at: 500, ms: 151, reason: 'retry_after' },
        { kind: 'failure', attempt: 4, at: 651, ms: 49, reason: 'timeout' },
      ],
    })
    await vi.advanceTimersByTimeAsync(700)
    await refused
  })

  it('tells a refusal once, not as a failure besides', async () => {
    const breaker = createCircuitBreaker()
    breaker.open(60_000)
    const policy = compose(createRetry({ maxElapsedMs: 1_000 }), breaker)
    await expect(policy.execute(() => 'never')).rejects.toMatchObject({
      code: 'circuit_open',
      timeline: [{ kind: 'rejected', attempt: 1, reason: 'circuit_open', breaker: 'open' }],
    })
  })

  it('leaves the error of a call inside the work its own history', async () => {
    const error = new Error('deep')
    const inner = createRetry({ retries: 1, backoff: steady })
    const result = compose(createTimeout({ ms: 1_000 })).execute(() =>
      inner.execute(() => Promise.reject(error)),
    )
    const refused = expect(result).rejects.toBe(error)
    await vi.advanceTimersByTimeAsync(100)
    await refused
    expect(timelineOf(error).map(({ kind }) => kind)).toEqual(['failure', 'wait', 'failure'])
  })

  it('continues an outer call when its execution is passed on', async () => {
    const error = new Error('deep')
    const inner = createRetry({ retries: 1, backoff: steady })
    const outer = createRetry({ retries: 1, backoff: steady })
    const result = outer.execute((execution) =>
      inner.execute(() => Promise.reject(error), execution),
    )
    const refused = expect(result).rejects.toBe(error)
    await vi.advanceTimersByTimeAsync(300)
    await refused
    const told = timelineOf(error).map(({ kind, at }) => [kind, at])
    expect(told).toEqual([
      ...[
        ['failure', 0],
        ['wait', 0],
        ['failure', 100],
      ],
      ...[
        ['wait', 100],
        ['failure', 200],
        ['wait', 200],
        ['failure', 300],
      ],
    ])
  })

  describe('when the caller aborts', () => {
    const aborted = { code: 'aborted', cause: 'gone', message: 'Aborted by the caller.' }

    it('begins nothing if that was before the start', async () => {
      let calls = 0
      const work = (): number => ++calls
      const signal = AbortSignal.abort('gone')
      for (const policy of [pipeline(), compose(), createFallback({ fallback: () => 0 })]) {
        await expect(policy.execute(work, { signal })).rejects.toMatchObject(aborted)
      }
      expect(calls).toBe(0)
    })

    it('ends in the middle of work that takes no notice, and gives the place back', async () => {
      const controller = new AbortController()
      const bulkhead = createBulkhead({ max: 1 })
      const policy = compose(bulkhead, createTimeout({ ms: 300 }))
      const result = policy.execute(never, { signal: controller.signal })
      const refused = expect(result).rejects.toMatchObject({
        ...aborted,
        timeline: [{ kind: 'failure', attempt: 1, at: 0, ms: 20, reason: 'aborted' }],
      })
      await vi.advanceTimersByTimeAsync(20)
      controller.abort('gone')
      await refused
      expect(bulkhead.active).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
    })

    it('ends in the middle of a wait and starts no further try', async () => {
      const controller = new AbortController()
      let calls = 0
      const result = pipeline().execute(
        () => {
          calls++
          throw new Error('down')
        },
        { signal: controller.signal },
      )
      const refused = expect(result).rejects.toMatchObject({
        ...aborted,
        timeline: [{ kind: 'failure' }, { kind: 'wait', ms: 40 }, { reason: 'aborted', at: 40 }],
      })
      await vi.advanceTimersByTimeAsync(40)
      controller.abort('gone')
      expect(vi.getTimerCount()).toBe(0)
      await refused
      await vi.advanceTimersByTimeAsync(1_000)
      expect(calls).toBe(1)
    })

    it('ends in the queue of a bulkhead', async () => {
      const bulkhead = createBulkhead({ max: 1, queue: 1 })
      const slot = bulkhead.tryAcquire()
      const controller = new AbortController()
      const policy = compose(createRetry(), bulkhead)
      let calls = 0
      const result = policy.execute(() => ++calls, { signal: controller.signal })
      const refused = expect(result).rejects.toMatchObject(aborted)
      await vi.advanceTimersByTimeAsync(10)
      expect(bulkhead.queued).toBe(1)
      controller.abort('gone')
      await refused
      expect(bulkhead.queued).toBe(0)
      slot?.release()
      await vi.advanceTimersByTimeAsync(10)
      expect(calls).toBe(0)
    })

    it('ends although another policy answers with an error of its own', async () => {
      const controller = new AbortController()
      const result = pipeline().execute(
        ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new TypeError('terminated')))
          }),
        { signal: controller.signal },
      )
      const refused = expect(result).rejects.toMatchObject(aborted)
      controller.abort('gone')
      await refused
    })

    it('does not matter any more when the call is done', async () => {
      const controller = new AbortController()
      const removed = vi.spyOn(controller.signal, 'removeEventListener')
      const added = vi.spyOn(controller.signal, 'addEventListener')
      expect(await pipeline().execute(() => 'done', { signal: controller.signal })).toBe('done')
      expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
      controller.abort()
    })
  })

  describe('when all goes well', () => {
    afterEach(() => {
      vi.unstubAllGlobals()
    })

    function forbid(...names: readonly string[]): void {
      for (const name of names) {
        vi.stubGlobal(name, () => {
          throw new Error(`${name} was used`)
        })
      }
    }

    it('needs no timer, no controller and no listener without a time limit', async () => {
      const policy = compose(
        createFallback({ fallback: () => 'never' }),
        createRetry({ backoff: steady }),
        createLimit({ limit: () => ({ allowed: true }) }),
        createCircuitBreaker(),
        createBulkhead({ max: 1 }),
      )
      forbid('setTimeout', 'AbortController', 'AbortSignal')
      expect(await policy.execute(({ attempt }) => attempt)).toBe(1)
    })

    it('needs one timer for each limit and no controller unless the work asks', async () => {
      const timers = vi.spyOn(globalThis, 'setTimeout')
      const { signal } = new AbortController()
      forbid('AbortController', 'AbortSignal')
      const policy = pipeline()
      expect(await policy.execute(({ attempt }) => attempt)).toBe(1)
      expect(await policy.execute(({ attempt }) => attempt, { signal })).toBe(1)
      expect(timers).toHaveBeenCalledTimes(4)
      vi.unstubAllGlobals()
      expect(await policy.execute((told: Execution) => told.signal.aborted)).toBe(false)
    })

    it('gives work without a limit the caller’s own signal', async () => {
      const { signal } = new AbortController()
      const policy = compose(createRetry(), createCircuitBreaker(), createBulkhead({ max: 1 }))
      expect(await policy.execute((told) => told.signal, { signal })).toBe(signal)
    })
  })
})
