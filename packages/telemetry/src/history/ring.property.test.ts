import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cell, folded, GAP, HISTORY_KINDS } from './kind.ts'
import { Ring } from './ring.ts'

const SIZE = 8

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('fold' as const),
      by: fc.integer({ min: -12, max: 12 }),
      value: fc.integer({ min: -9, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rewind' as const),
      by: fc.integer({ min: -12, max: 2 }),
      value: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      by: fc.constant(0),
      value: fc.integer({ min: 1, max: 12 }),
    }),
  },
)

describe('Ring', () => {
  it('is a map of the newest steps', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...HISTORY_KINDS),
        fc.array(action, { maxLength: 60 }),
        (kind, actions) => {
          const ring = new Ring(kind, SIZE)
          const model = new Map<number, Cell>()
          let newest = Number.NEGATIVE_INFINITY
          for (const { do: what, by, value } of actions) {
            const step = (Number.isFinite(newest) ? newest : 100) + by
            if (what === 'fold') {
              const isKept = step > newest - SIZE
              expect(ring.fold(step, { value, weight: 1 })).toBe(isKept)
              if (isKept)
                model.set(step, folded(kind, model.get(step) ?? GAP, { value, weight: 1 }))
              newest = Math.max(newest, step)
              for (const each of model.keys()) if (each <= newest - SIZE) model.delete(each)
            } else if (what === 'rewind') {
              ring.rewind(step)
              for (const each of model.keys()) if (each > step) model.delete(each)
              newest = Math.min(newest, step)
            } else {
              const taken = ring
                .take(value)
                .flatMap((run) =>
                  Array.from({ length: run.cells.length / 2 }, (_, at) => [
                    run.step + at,
                    run.cells[2 * at],
                    run.cells[2 * at + 1],
                  ]),
                )
              const oldest = [...model.keys()].sort((a, b) => a - b).slice(0, value)
              expect(taken).toEqual(
                oldest.map((each) => [each, model.get(each)?.value, model.get(each)?.weight]),
              )
              for (const each of oldest) model.delete(each)
            }
            expect(ring.isEmpty && model.size > 0).toBe(false)
            for (let at = step - 30; at < step + 30; at += 1) {
              expect(ring.cell(at)).toEqual(model.get(at) ?? GAP)
            }
          }
        },
      ),
    )
  })
})
