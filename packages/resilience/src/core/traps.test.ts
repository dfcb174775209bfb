import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackoff } from './backoff.ts'
import { createCircuitBreaker } from './breaker/circuit-breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import { compose } from './compose.ts'
import { createRetry } from './retry.ts'
import { createRetryBudget } from './retry-budget.ts'
import { createTimeout } from './timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const never = (): Promise<never> => new Promise(() => {})

// What other libraries of this kind were seen to do, and ours must not.
describe('the traps of resilience libraries', () => {
  it('a retry’s wait ends at the abort, and the work is not called once more', async () => {
    const controller = new AbortController()
    const retry = createRetry({ backoff: createBackoff({ initial: 800, jitter: 'none' }) })
    let calls = 0
    const began = performance.now()
    let endedAfter = 0
    const result = retry
      .execute(
        () => {
          calls++
          throw new Error('down')
        },
        { signal: controller.signal },
      )
      .catch((error: unknown) => {
        endedAfter = performance.now() - began
        throw error
      })
    const refused = expect(result).rejects.toMatchObject({ code: 'aborted' })
    await vi.advanceTimersByTimeAsync(100)
    controller.abort()
    await refused
    await vi.advanceTimersByTimeAsync(10_000)
    expect({ endedAfter, calls }).toEqual({ endedAfter: 100, calls: 1 })
  })

  it('a caller’s abort is no timeout: nothing retries it, and no breaker counts it', async () => {
    const breaker = createCircuitBreaker({ trip: { kind: 'consecutive', failures: 1 } })
    const retried = vi.fn()
    const policy = compose(
      createRetry({ onRetry: retried, retryable: () => true }),
      breaker,
      createTimeout({ ms: 1_000 }),
    )
    for (const heeds of [true, false]) {
      const controller = new AbortController()
      const result = policy.execute(
        ({ signal }) =>
          heeds
            ? new Promise((_, reject) => {
                signal.addEventListener('abort', () => reject(signal.reason))
              })
            : never(),
        { signal: controller.signal },
      )
      const refused = expect(result).rejects.toMatchObject({ code: 'aborted' })
      await vi.advanceTimersByTimeAsync(10)
      controller.abort()
      await refused
      await vi.advanceTimersByTimeAsync(5_000)
    }
    expect(retried).not.toHaveBeenCalled()
    expect(breaker.state).toBe('closed')
  })

  it('a timeout leaves the signal alone after success, so that a body can still be read', async () => {
    const body = async function* (signal: AbortSignal) {
      for (const chunk of ['a', 'b', 'c']) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        signal.throwIfAborted()
        yield chunk
      }
    }
    const policy = compose(
      createTimeout({ ms: 200, limit: 'total' }),
      createRetry(),
      createTimeout({ ms: 100 }),
    )
    const read = policy
      .execute(({ signal }) => body(signal))
      .then(async (chunks) => {
        let text = ''
        for await (const chunk of chunks) text += chunk
        return text
      })
    await vi.advanceTimersByTimeAsync(1_500)
    expect(await read).toBe('abc')
  })

  it('a retry does not hammer at an open circuit or a full bulkhead', async () => {
    const breaker = createCircuitBreaker()
    breaker.open(120_000)
    const bulkhead = createBulkhead({ max: 1 })
    const slot = bulkhead.tryAcquire()
    const retry = createRetry({ retries: 9, retryable: () => true })
    const retried = vi.fn()
    const observed = createRetry({ retries: 9, onRetry: retried, retryable: () => true })
    for (const refusing of [breaker, bulkhead]) {
      await expect(compose(retry, refusing).execute(() => 'never')).rejects.toThrow()
      await expect(compose(observed, refusing).execute(() => 'never')).rejects.toThrow()
    }
    slot?.release()
    expect(retried).not.toHaveBeenCalled()
  })

  it('a wall clock that jumps moves no circuit, no limit and no budget', async () => {
    const breaker = createCircuitBreaker({ openForMs: 30_000 })
    breaker.open()
    const budget = createRetryBudget({ perSecond: 1, windowMs: 1_000 })
    expect(budget.tryRetry()).toBe(true)
    const retry = createRetry({ maxElapsedMs: 500, backoff: createBackoff({ initial: 1 }) })
    let calls = 0
    const result = retry.execute(() => {
      calls++
      vi.setSystemTime(Date.now() + 86_400_000)
      if (calls < 3) throw new Error('down')
    })
    await vi.advanceTimersByTimeAsync(100)
    await result
    expect(calls).toBe(3)
    expect(breaker.state).toBe('open')
    expect(budget.tryRetry()).toBe(false)
  })
})
