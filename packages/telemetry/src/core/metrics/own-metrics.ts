import type { Counter, CounterSeries } from './instruments.ts'
import type { Metrics } from './metrics.ts'

/** What a registry counts about itself. */
export interface OwnMetrics {
  readonly seriesDropped: Counter<readonly ['metric']>
  readonly valuesDropped: Counter<readonly ['metric']>
  readonly readFailures: CounterSeries
}

/** Each has a series for each metric at most, so their number is bounded by the declarations. */
export function ownMetrics(metrics: Pick<Metrics, 'counter'>): OwnMetrics {
  const maxSeries = Number.MAX_SAFE_INTEGER
  return {
    seriesDropped: metrics.counter('tidegate_metric_series_dropped_total', {
      help: 'Lookups of a series beyond the limit of its metric, answered with the series "other".',
      labels: ['metric'],
      maxSeries,
    }),
    valuesDropped: metrics.counter('tidegate_metric_values_dropped_total', {
      help: 'Values that were not recorded because they are no number, or not one that the metric can have.',
      labels: ['metric'],
      maxSeries,
    }),
    readFailures: metrics
      .counter('tidegate_metric_read_failures_total', {
        help: 'Failures of callbacks that read gauges before a scrape.',
      })
      .series(),
  }
}
