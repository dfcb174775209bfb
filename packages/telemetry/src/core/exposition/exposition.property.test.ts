import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MetricFamily } from '../metrics/family.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { type ExpositionFormat, exposition } from './exposition.ts'
import { type ParsedFamily, parseExposition } from './parser.fixture.ts'

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\\n',
    '\n',
    '"} 1',
    '# EOF',
    ',',
    '{}',
    '\r',
    '\u2028',
    '__proto__',
  ),
)
const help = hostile.filter((text) => text.trim() !== '')
const amount = fc.double({ min: 0, max: 1e15, noNaN: true })
const events = fc.array(fc.tuple(hostile, hostile, amount), { maxLength: 20 })
const format = fc.constantFrom<ExpositionFormat>('prometheus', 'openmetrics')

/** What a scraper has to understand of a snapshot. */
function expected(snapshot: readonly MetricFamily[], openMetrics: boolean): unknown[] {
  return snapshot.map((family) => ({
    name: openMetrics && family.type === 'counter' ? family.name.slice(0, -6) : family.name,
    help: family.help,
    type: family.type === 'updown' ? 'gauge' : family.type,
    unit: openMetrics ? family.unit : undefined,
    series: family.points.map((point) => [
      ...point.labels,
      'value' in point ? point.value : `${point.count} ${point.sum} ${point.buckets[0]}`,
    ]),
  }))
}

function understood(families: readonly ParsedFamily[]): unknown[] {
  return families.map(({ name, help: text, type, unit, samples }) => ({
    name,
    help: text,
    type,
    unit,
    series:
      type === 'histogram'
        ? samples
            .filter((sample) => sample.name.endsWith('_count'))
            .map(({ labels, value }) => {
              const own = (suffix: string) =>
                samples.find(
                  (sample) =>
                    sample.name === name + suffix &&
                    Object.entries(labels).every(([key, one]) => sample.labels[key] === one),
                )?.value
              return [...Object.values(labels), `${value} ${own('_sum')} ${own('_bucket')}`]
            })
        : samples
            .filter((sample) => !sample.name.endsWith('_created'))
            .map(({ labels, value }) => [...Object.values(labels), value]),
  }))
}

describe('exposition', () => {
  it('is read back as what it was made of', () => {
    fc.assert(
      fc.property(events, help, help, format, fc.boolean(), (all, one, other, as, created) => {
        const metrics = createMetrics({ maxSeries: 10 })
        const labels = ['a', 'b'] as const
        const counter = metrics.counter('c_total', { help: one, labels })
        const gauge = metrics.gauge('g_ratio', { help: other, unit: 'ratio', labels })
        const histogram = metrics.histogram('h_seconds', { help: one, unit: 'seconds', labels })
        for (const [a, b, value] of all) {
          counter.series(a, b).add(value)
          gauge.series(b, a).set(10 - value)
          histogram.series(a, b).record(value, 'b7ad6b7169203331b7ad6b7169203331')
        }
        const snapshot = metrics.snapshot()
        const openMetrics = as === 'openmetrics'
        const { body } = exposition(snapshot, { format: as, created })
        const read = understood(parseExposition(body, openMetrics))
        expect(read).toEqual(expected(snapshot, openMetrics))
      }),
      { numRuns: 100 },
    )
  })
})
