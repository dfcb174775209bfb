import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackoff } from './backoff.ts'
import { createCircuitBreaker } from './breaker/circuit-breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import { compose } from './compose.ts'
import { createFallback } from './fallback.ts'
import { createHedge } from './hedge.ts'
import { createLimit } from './limit.ts'
import type { Policy } from './policy.ts'
import { createRetry } from './retry.ts'
import { createTimeout } from './timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** How one attempt goes: how long it takes, how it ends, and whether it heeds its signal. */
const attempt = fc.record({
  ms: fc.integer({ min: 0, max: 120 }),
  fails: fc.boolean(),
  heeds: fc.boolean(),
})

const layers = fc.subarray([
  'fallback',
  'total',
  'hedge',
  'retry',
  'limit',
  'breaker',
  'bulkhead',
  'timeout',
] as const)

function parts() {
  const bulkhead = createBulkhead({ max: 3, queue: 3 })
  const breaker = createCircuitBreaker({ trip: { kind: 'consecutive', failures: 99 } })
  const policies: Record<string, Policy> = {
    fallback: createFallback({ fallback: () => 'fallback', when: () => false }),
    total: createTimeout({ ms: 250, limit: 'total' }),
    hedge: createHedge({ after: 30, budget: { ratio: 1 } }),
    retry: createRetry({ retries: 3, backoff: createBackoff({ initial: 40, jitter: 'none' }) }),
    limit: createLimit({ limit: async () => ({ allowed: true }) }),
    breaker,
    bulkhead,
    timeout: createTimeout({ ms: 70 }),
  }
  return { bulkhead, policies }
}

describe('an abort at any moment, through any policies', () => {
  it('ends the call at once, begins nothing more and leaves nothing behind', async () => {
    const scenario = fc.record({
      layers,
      attempts: fc.array(attempt, { minLength: 10, maxLength: 10 }),
      abortAt: fc.integer({ min: 0, max: 400 }),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async ({ layers, attempts, abortAt }) => {
        const { bulkhead, policies } = parts()
        const controller = new AbortController()
        const begun = performance.now()
        const now = () => performance.now() - begun
        const starts: number[] = []
        const signals: AbortSignal[] = []
        let working = 0
        const work = ({ signal }: { signal: AbortSignal }): Promise<string> => {
          const { ms = 0, fails, heeds } = attempts[starts.length] ?? {}
          starts.push(now())
          signals.push(signal)
          working++
          return new Promise<string>((resolve, reject) => {
            const timer = setTimeout(() => (fails ? reject(new Error('down')) : resolve('ok')), ms)
            if (!heeds) return
            signal.addEventListener('abort', () => {
              clearTimeout(timer)
              reject(signal.reason)
            })
          }).finally(() => working--)
        }
        let end: { at: number; code?: unknown } | undefined
        compose(...layers.flatMap((layer) => policies[layer] ?? []))
          .execute(work, { signal: controller.signal })
          .then(
            () => {
              end = { at: now() }
            },
            (error: unknown) => {
              end = { at: now(), code: (error as { code?: unknown }).code }
            },
          )
        await vi.advanceTimersByTimeAsync(abortAt)
        const endedBefore = end !== undefined
        controller.abort()
        await vi.advanceTimersByTimeAsync(0)

        expect(end).toBeDefined()
        if (!endedBefore) expect(end).toEqual({ at: abortAt, code: 'aborted' })
        expect(signals.every((signal) => signal.aborted)).toBe(true)
        expect(bulkhead.active).toBeLessThanOrEqual(working)
        await vi.advanceTimersByTimeAsync(1_000)
        expect(starts.every((at) => at <= abortAt)).toBe(true)
        expect({ working, timers: vi.getTimerCount() }).toEqual({ working: 0, timers: 0 })
        expect({ active: bulkhead.active, queued: bulkhead.queued }).toEqual({
          active: 0,
          queued: 0,
        })
      }),
      { numRuns: 300 },
    )
  })
})
