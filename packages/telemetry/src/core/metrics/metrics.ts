import type { MetricFamily } from './family.ts'
import type { Counter, Gauge, Histogram, HistogramSpec, MetricSpec } from './instruments.ts'
import { Registry } from './registry.ts'
import type { TopK, TopKSpec } from './top-k.ts'

/** How `createMetrics` keeps what is measured. */
export interface MetricsOptions {
  /** How many series one metric may have unless it says otherwise. Default: 1,000. */
  readonly maxSeries?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
  /** Told once for each metric that has reached its `maxSeries`. */
  readonly onOverflow?: (metric: string) => void
  /** Told what a callback of `observe` has thrown. */
  readonly onError?: (error: unknown) => void
}

/**
 * The metrics of one process. Names are those of Prometheus: `http_requests_total`,
 * `http_server_request_duration_seconds`.
 *
 * A declaration is checked at once and throws a `TelemetryError`: `invalid_metric` or `invalid_label` for
 * what Prometheus can't have, `redeclared` for a name that is there with other properties. The same
 * declaration again gives the same instrument.
 */
export interface Metrics {
  counter<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Counter<Labels>
  gauge<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Gauge<Labels>
  /** A gauge whose series may be added up, such as requests in flight: told apart by OTLP only. */
  upDownCounter<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Gauge<Labels>
  histogram<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: HistogramSpec<Labels>,
  ): Histogram<Labels>
  /**
   * Calls `read` before every snapshot, to set what is read rather than kept. The gauges it fills are
   * cleared before; when it throws they stay so, nothing else is harmed, and
   * `tidegate_metric_read_failures_total` counts it. Returns the way to end it.
   */
  observe(gauges: readonly Clearable[], read: () => void): () => void
  /** A counter for keys that may be many, such as those of clients. Declared anew, it is the same one. */
  topK(name: string, spec: TopKSpec): TopK
  /** What was declared under this name, for whoever reads what others measure; a `topK` is only in snapshots. */
  find(name: string): FoundInstrument | undefined
  /** Calls what was given to `observe`, as a snapshot does first: for whoever reads what `find` gives. */
  refresh(): void
  /** Everything at this moment, in the order of declaration; metrics without a series are left out. */
  snapshot(): readonly MetricFamily[]
}

/** An instrument that somebody else has declared. */
export interface FoundInstrument {
  /** The names of its labels, in the order of their values. */
  readonly labels: readonly string[]
  readonly instrument: Counter | Gauge | Histogram
}

/** A gauge, whatever its labels are. */
export interface Clearable {
  clear(): void
}

/**
 * Makes an empty registry of metrics. It counts its own troubles:
 * `tidegate_metric_series_dropped_total`, `tidegate_metric_values_dropped_total` and
 * `tidegate_metric_read_failures_total`, the first two by metric.
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  return new Registry(options)
}
