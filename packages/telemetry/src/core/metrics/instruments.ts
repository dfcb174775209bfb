import type { Distribution } from './distribution.ts'

/** One text for each label, in the order in which they were declared. */
export type LabelValues<Labels extends readonly string[]> = { readonly [I in keyof Labels]: string }

/** How a metric is declared. */
export interface MetricSpec<Labels extends readonly string[]> {
  /** One sentence about what is measured. */
  readonly help: string
  /** The base unit: `seconds`, `bytes`, `ratio`… The name must end with it (a counter's before `_total`). */
  readonly unit?: string
  /** The names of the labels: lower case. Default: none. */
  readonly labels?: Labels
  /** How many series this metric may have. Default: that of `createMetrics`. */
  readonly maxSeries?: number
}

/** How a histogram is declared. */
export interface HistogramSpec<Labels extends readonly string[]> extends MetricSpec<Labels> {
  /** Upper bounds, ascending. Default: those of OpenTelemetry for seconds; any other unit must say. */
  readonly buckets?: readonly number[]
}

/**
 * A total that only grows.
 *
 * `series` finds the series of these label values: a lookup in nested maps. Keep what it returns when
 * the values don't change. It throws a `TelemetryError` (`invalid_label`) unless there is one text for
 * each label. Values are cut at 256 characters. Beyond `maxSeries`, every new combination is the one
 * series whose values all are `other`.
 */
export interface Counter<Labels extends readonly string[] = readonly string[]> {
  readonly name: string
  series(...values: LabelValues<Labels>): CounterSeries
  /** All series with their label values. */
  entries(): Iterable<readonly [values: readonly string[], series: CounterSeries]>
}

/** One series of a counter. No method throws. */
export interface CounterSeries {
  /** Adds 1 or `amount`. What is not a number from 0 to 2^63 is dropped and counted. */
  add(amount?: number): void
  /** Takes over a total that is kept elsewhere; one lower than the present value is ignored. */
  raise(total: number): void
  readonly value: number
}

/** A value that goes up and down. A series is there once it was set. */
export interface Gauge<Labels extends readonly string[] = readonly string[]> {
  readonly name: string
  /** As of a counter. */
  series(...values: LabelValues<Labels>): GaugeSeries
  /** All series that are set, with their label values. */
  entries(): Iterable<readonly [values: readonly string[], series: GaugeSeries]>
  /** Unsets all series: none is exposed until it is set again. */
  clear(): void
}

/** One series of a gauge. No method throws. */
export interface GaugeSeries {
  /** Any number; NaN and infinities are exposed as they are. */
  set(value: number): void
  /** Adds 1 or `amount`, which may be negative. What is not finite is dropped and counted. */
  add(amount?: number): void
  /** 0 as long as nothing was set. */
  readonly value: number
}

/** The distribution of values, such as durations. */
export interface Histogram<Labels extends readonly string[] = readonly string[]> {
  readonly name: string
  /** As of a counter. */
  series(...values: LabelValues<Labels>): HistogramSeries
  /** All series with their label values. */
  entries(): Iterable<readonly [values: readonly string[], series: HistogramSeries]>
  /** Copies of the series' distributions, those with the same key merged; `undefined` leaves one out. */
  distributions(keyOf: (values: readonly string[]) => string | undefined): Map<string, Distribution>
}

/** One series of a histogram. No method throws. */
export interface HistogramSeries {
  /**
   * Counts one value: a number from 0 to 2^63 (2^63 itself excluded); any other is dropped and counted.
   * With the id of a sampled trace, the bucket remembers it as its exemplar.
   */
  record(value: number, traceId?: string): void
  readonly count: number
  readonly sum: number
  /** The value below or at which the share `q` (0 to 1) of all values is, within 4 %; NaN without values. */
  quantile(q: number): number
}
