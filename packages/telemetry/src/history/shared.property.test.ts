import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Clock, historyAt } from './clock.fixture.ts'
import type { History } from './history.ts'
import { Unsteady } from './unsteady-store.fixture.ts'

const PROCESSES = 3

const process = fc.nat({ max: PROCESSES - 1 })

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      process,
      by: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      process,
      by: fc.integer({ min: 1, max: 90 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('flush' as const, 'query' as const),
      process,
      by: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('there' as const, 'away' as const, 'mute' as const),
      process,
      by: fc.constant(0),
    }),
  },
)

async function total(history: History | undefined): Promise<number> {
  const [series] = (await history?.query({ metrics: ['m'], windowMs: 86_400_000 })) ?? []
  return series?.points.reduce((sum, [, value]) => sum + (value ?? 0), 0) ?? 0
}

describe('histories with an unsteady store', () => {
  it('never know more than there was, and in the end all of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const [clock, store] = [new Clock(), new Unsteady()]
        const histories = Array.from({ length: PROCESSES }, () => historyAt(clock, { store }))
        for (const history of histories) history.declare('m', { kind: 'count' })
        let truth = 0
        for (const { do: what, process: index, by } of actions) {
          const history = histories[index]
          if (what === 'record' && history?.record('m', by)) truth += by
          else if (what === 'wait') clock.advance(by)
          else if (what === 'flush') await history?.flush()
          else if (what === 'query') expect(await total(history)).toBeLessThanOrEqual(truth)
          else if (what !== 'record') store.is = what
        }
        store.is = 'there'
        clock.advance(3)
        for (const history of histories) expect(await history.flush()).toBe(true)
        for (const history of [...histories, historyAt(clock, { store })]) {
          expect(await total(history)).toBe(truth)
        }
        for (const history of histories) await history.close()
      }),
    )
  })
})
