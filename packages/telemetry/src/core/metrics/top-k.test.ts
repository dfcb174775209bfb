import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import type { TopK } from './top-k.ts'

const spec = { help: 'Tokens by key.', label: 'key' }

function series(metrics: ReturnType<typeof createMetrics>): Record<string, number> {
  const points = metrics.snapshot().find(({ name }) => name === 'x_total')?.points ?? []
  return Object.fromEntries(
    points.map((point) => [point.labels[0], 'value' in point && point.value]),
  )
}

function make(k: number): { metrics: ReturnType<typeof createMetrics>; top: TopK } {
  const metrics = createMetrics()
  return { metrics, top: metrics.topK('x_total', { ...spec, k }) }
}

describe('topK', () => {
  it('counts exactly as long as the keys are few', () => {
    const { metrics, top } = make(3)
    top.add('a', 5)
    top.add('b')
    top.add('a', 2.5)
    expect(series(metrics)).toEqual({ a: 7.5, b: 1, other: 0 })
    expect(top.top()).toEqual([
      { key: 'a', count: 7.5, missed: 0 },
      { key: 'b', count: 1, missed: 0 },
    ])
  })

  it('keeps every key that has more than its share of the total', () => {
    const key = fc.integer({ min: 0, max: 30 }).map(String)
    const events = fc.array(fc.tuple(key, fc.nat(100)), { maxLength: 300 })
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 10 }), (all, k) => {
        const { top } = make(k)
        const truth = new Map<string, number>()
        for (const [name, amount] of all) {
          top.add(name, amount)
          truth.set(name, (truth.get(name) ?? 0) + amount)
        }
        const kept = top.top()
        expect(kept.length).toBeLessThanOrEqual(k)
        for (const [name, count] of truth) {
          if (count > top.total / k) expect(kept.map((one) => one.key)).toContain(name)
        }
        for (const { key: name, count, missed } of kept) {
          const real = truth.get(name) ?? 0
          expect(count).toBeLessThanOrEqual(real)
          expect(real).toBeLessThanOrEqual(count + missed)
        }
      }),
    )
  })

  it('has series that add up to the total, and an other that never goes down', () => {
    const key = fc.integer({ min: 0, max: 12 }).map(String)
    const amount = fc.double({ min: 0, max: 10, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(key, amount), { maxLength: 60 }), (all) => {
        const { metrics, top } = make(3)
        let others = 0
        for (const [name, added] of all) {
          top.add(name, added)
          const now = series(metrics)
          expect(Object.values(now).reduce((sum, one) => sum + one, 0)).toBeCloseTo(top.total, 6)
          expect(now.other).toBeGreaterThanOrEqual(others)
          others = now.other ?? 0
        }
      }),
    )
  })

  it('takes hostile keys and refuses hostile amounts', () => {
    const { metrics, top } = make(2)
    top.add('other', 3)
    top.add('x'.repeat(1_000))
    top.add('x'.repeat(2_000))
    top.add('__proto__')
    for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY]) top.add('a', amount)
    expect(top.top().map(({ key }) => key)).toEqual(['x'.repeat(256), '__proto__'])
    const points = metrics.snapshot().find(({ name }) => name === 'x_total')?.points
    expect(points?.map(({ labels }) => labels[0])).toEqual(['x'.repeat(256), '__proto__', 'other'])
    expect(top.total).toBe(6)
  })
})
