import type { HistogramPoint, MetricFamily, NumberPoint } from '../metrics/family.ts'

/** One metric as JSON. */
export interface JsonMetric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly unit?: string
  readonly series: readonly JsonSeries[]
}

/** One series as JSON: a value, or what a histogram has. */
export type JsonSeries = { readonly labels: Readonly<Record<string, string>> } & (
  | { readonly value: number | null }
  | {
      readonly count: number
      readonly sum: number
      /** `[upper bound, values at or below it]`; the last bound, which is infinite, is null. */
      readonly buckets: readonly (readonly [bound: number | null, count: number])[]
    }
)

/** Makes plain JSON of a snapshot. What JSON can't say (NaN and infinities) is null. */
export function metricsJson(snapshot: readonly MetricFamily[]): readonly JsonMetric[] {
  return snapshot.map((family) => {
    const { name, help, unit, labels } = family
    const facts = { name, help, ...(unit !== undefined && { unit }) }
    if (family.type === 'histogram') {
      const series = family.points.map((point) => ({
        labels: pairs(labels, point),
        count: point.count,
        sum: point.sum,
        buckets: cumulative(family.bounds, point),
      }))
      return { ...facts, type: family.type, series }
    }
    const series = family.points.map((point) => ({
      labels: pairs(labels, point),
      value: Number.isFinite(point.value) ? point.value : null,
    }))
    return { ...facts, type: family.type === 'counter' ? 'counter' : 'gauge', series }
  })
}

function pairs(
  names: readonly string[],
  { labels }: NumberPoint | HistogramPoint,
): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, labels[index] ?? '']))
}

function cumulative(
  bounds: readonly number[],
  { buckets }: HistogramPoint,
): (readonly [number | null, number])[] {
  let below = 0
  return buckets.map((count, index) => {
    below += count
    return [bounds[index] ?? null, below]
  })
}
