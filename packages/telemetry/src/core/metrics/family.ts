/** What a metric is. `updown` is a gauge that is a sum (of what is in flight): Prometheus knows it as a gauge. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'updown'

/** A value that was recorded while a sampled trace ran, to go from a histogram's bucket to that trace. */
export interface Exemplar {
  readonly traceId: string
  readonly value: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** One series of a counter or a gauge. */
export interface NumberPoint {
  /** The values of the family's labels, in their order. */
  readonly labels: readonly string[]
  readonly value: number
  /** When the series began, in milliseconds since 1970. */
  readonly createdAt: number
}

/** One series of a histogram. */
export interface HistogramPoint {
  readonly labels: readonly string[]
  /** How many values are in each bucket alone; the last is above all bounds. */
  readonly buckets: readonly number[]
  readonly count: number
  readonly sum: number
  /** At most one for each bucket; absent when nothing was recorded with a trace. */
  readonly exemplars?: readonly (Exemplar | undefined)[]
  readonly createdAt: number
}

interface FamilyFacts {
  /** As in Prometheus: `http_server_request_duration_seconds`, a counter's with `_total`. */
  readonly name: string
  readonly help: string
  readonly unit?: string
  /** The names of the labels. */
  readonly labels: readonly string[]
}

/** One metric with all its series at one moment: plain data, which nothing changes afterwards. */
export type MetricFamily = NumberFamily | HistogramFamily

/** A counter's or a gauge's. */
export interface NumberFamily extends FamilyFacts {
  readonly type: 'counter' | 'gauge' | 'updown'
  readonly points: readonly NumberPoint[]
}

/** A histogram's. */
export interface HistogramFamily extends FamilyFacts {
  readonly type: 'histogram'
  /** The upper bounds of the buckets, inclusive, without the last (+Inf). */
  readonly bounds: readonly number[]
  readonly points: readonly HistogramPoint[]
}
