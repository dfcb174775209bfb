import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'
import type { Store } from './store.ts'

const HOUR = 3_600_000
const NAMES = ['rate', 'sliding', 'fixed', 'tokens', 'slots'] as const

const policies = {
  rate: tokenBucket({ limit: 12, windowMs: HOUR }),
  sliding: slidingWindow({ limit: 12, windowMs: HOUR }),
  fixed: fixedWindow({ limit: 12, windowMs: HOUR }),
  tokens: budget({ limit: 12, windowMs: HOUR }),
  slots: concurrency({ limit: 12, ttlMs: HOUR }),
}

const callers = fc.array(
  fc.uniqueArray(
    fc.record({
      subject: fc.constantFrom('address', 'team', 'user'),
      requests: fc.uniqueArray(
        fc.record({ policy: fc.constantFrom(...NAMES), cost: fc.integer({ min: 0, max: 5 }) }),
        { minLength: 1, selector: ({ policy }) => policy },
      ),
    }),
    { minLength: 1, selector: ({ subject }) => subject },
  ),
  { maxLength: 30, size: 'max' },
)

/** A store that answers after as many turns as it is told, one call after another. */
function slowly(turns: readonly number[]): Store {
  const memory = memoryStore()
  let calls = 0
  return {
    async decide(...call) {
      calls += 1
      const waits = turns[calls % Math.max(1, turns.length)] ?? 0
      for (let turn = 0; turn < waits; turn += 1) await undefined
      const verdicts = memory.decide(...call)
      for (let turn = 0; turn < waits; turn += 1) await undefined
      return verdicts
    },
  }
}

describe('acquireAll by many at once', () => {
  it('leaves charged exactly what was admitted, and never more than the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        callers,
        fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 7 }),
        async (list, turns) => {
          const now = () => 1_800_000_000_000
          const limiter = createRateLimiter({ policies, store: slowly(turns), now })
          const admissions = await Promise.all(list.map((asks) => limiter.acquireAll(asks)))
          const used = new Map<string, number>()
          for (const [at, asks] of list.entries()) {
            if (admissions[at]?.allowed !== true) continue
            for (const { subject, requests } of asks) {
              for (const { policy, cost } of requests) {
                const key = `${subject} ${policy}`
                used.set(key, (used.get(key) ?? 0) + cost)
              }
            }
          }
          for (const subject of ['address', 'team', 'user']) {
            for (const policy of NAMES) {
              const charged = used.get(`${subject} ${policy}`) ?? 0
              expect(charged).toBeLessThanOrEqual(12)
              expect((await limiter.peek(policy, subject)).remaining).toBe(12 - charged)
            }
          }
        },
      ),
    )
  })
})
