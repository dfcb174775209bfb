import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import { tokenBucket } from '../rules.ts'
import type { Store } from '../store.ts'
import { FallbackStore } from './fallback-store.ts'

interface Admitted {
  readonly at: number
  readonly cost: number
}

const rules = fc.record({
  limit: fc.integer({ min: 1, max: 60 }),
  windowMs: fc.integer({ min: 100, max: 5_000 }),
  burst: fc.integer({ min: 1, max: 60 }),
})
const moves = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 20 }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 1_500 }) },
    ),
    node: fc.nat({ max: 4 }),
    cost: fc.integer({ min: 0, max: 8 }),
    /** Whether the store goes away, or comes back. */
    turns: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
  }),
  { maxLength: 80, size: 'max' },
)

/** Whether all intervals that begin and end with an admission keep to the bound. */
function keeps(list: readonly Admitted[], burst: number, limit: number, windowMs: number): boolean {
  return list.every((first, from) => {
    let sum = 0
    return list.slice(from).every(({ at, cost }) => {
      sum += cost
      return sum * windowMs <= burst * windowMs + limit * (at - first.at)
    })
  })
}

describe('several processes whose store comes and goes', () => {
  it('admit by the store what it promises, and alone together no more than that', async () => {
    await fc.assert(
      fc.asyncProperty(
        rules,
        fc.integer({ min: 1, max: 5 }),
        moves,
        async (options, nodes, list) => {
          const shared = memoryStore()
          let clock = 1_800_000_000_000
          let away = false
          const store: Store = {
            nodes,
            async decide(...call) {
              if (away) throw new Error('away')
              return shared.decide(...call)
            },
          }
          const clocks = { monotonic: () => clock, random: () => 0.5 }
          const processes = Array.from(
            { length: nodes },
            () => new FallbackStore(store, { timeoutMs: 500, now: () => clock, clock: clocks }),
          )
          const limit = { policy: 'p', rule: tokenBucket(options) }
          const admitted: Record<string, Admitted[]> = { memory: [], 'fallback-local': [] }
          for (const { step, node, cost, turns } of list) {
            clock += step
            if (turns) away = !away
            const take = { limit, action: 'take', amount: cost } as const
            const [verdict] = (await processes[node % nodes]?.decide('s', [take], clock)) ?? []
            if (verdict?.applied === true) admitted[verdict.source]?.push({ at: clock, cost })
          }
          const { limit: most, windowMs, burst } = options
          expect(keeps(admitted.memory ?? [], burst, most, windowMs)).toBe(true)
          // A share is 1 at least.
          const shares = Math.max(1, Math.floor(burst / nodes)) * nodes
          expect(keeps(admitted['fallback-local'] ?? [], shares, most, windowMs)).toBe(true)
        },
      ),
    )
  })
})
