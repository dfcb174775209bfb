import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

const help = 'What it is.'
const text = fc.string({ unit: 'binary', maxLength: 8 })

describe('createMetrics', () => {
  it('has totals that equal what was recorded, whatever the labels are', () => {
    const event = fc.tuple(text, text, fc.nat(1_000))
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (events, maxSeries) => {
          const metrics = createMetrics({ maxSeries })
          const counter = metrics.counter('c_total', { help, labels: ['a', 'b'] })
          const histogram = metrics.histogram('h_bytes', {
            help,
            labels: ['a', 'b'],
            buckets: [10, 100],
          })
          const truth = new Map<string, number>()
          for (const [a, b, amount] of events) {
            counter.series(a, b).add(amount)
            histogram.series(a, b).record(amount)
            const key = JSON.stringify([a, b])
            truth.set(key, (truth.get(key) ?? 0) + amount)
          }
          const sum = events.reduce((total, [, , amount]) => total + amount, 0)
          const counted = [...counter.entries()]
          expect(counted.reduce((total, [, { value }]) => total + value, 0)).toBe(sum)
          expect(counted.length).toBeLessThanOrEqual(maxSeries + 1)
          for (const [labels, { value }] of counted) {
            if (!labels.includes('other')) expect(value).toBe(truth.get(JSON.stringify(labels)))
          }
          const recorded = [...histogram.entries()]
          expect(recorded.reduce((total, [, series]) => total + series.sum, 0)).toBe(sum)
          expect(recorded.reduce((total, [, series]) => total + series.count, 0)).toBe(
            events.length,
          )
          for (const found of metrics.snapshot()) {
            for (const point of found.points) {
              if (!('buckets' in point)) continue
              expect(point.buckets.reduce((total, count) => total + count, 0)).toBe(point.count)
            }
          }
        },
      ),
    )
  })

  it('has at most maxSeries and one more for 1,000 random values', () => {
    const values = fc.uniqueArray(text, { minLength: 1_000, maxLength: 1_000 })
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 500 }), (all, maxSeries) => {
        const counter = createMetrics({ maxSeries }).counter('c_total', { help, labels: ['path'] })
        for (const value of all) counter.series(value).add()
        const entries = [...counter.entries()]
        expect(entries.length).toBeLessThanOrEqual(maxSeries + 1)
        expect(entries.reduce((sum, [, { value }]) => sum + value, 0)).toBe(1_000)
        expect(new Set(entries.map(([labels]) => labels.join())).size).toBe(entries.length)
      }),
      { numRuns: 10 },
    )
  })
})
