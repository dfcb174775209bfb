export { isTelemetryError, TelemetryError, type TelemetryErrorCode } from './core/errors.ts'
export { Distribution } from './core/metrics/distribution.ts'
export type {
  Exemplar,
  HistogramFamily,
  HistogramPoint,
  MetricFamily,
  MetricType,
  NumberFamily,
  NumberPoint,
} from './core/metrics/family.ts'
export type {
  Counter,
  CounterSeries,
  Gauge,
  GaugeSeries,
  Histogram,
  HistogramSeries,
  HistogramSpec,
  LabelValues,
  MetricSpec,
} from './core/metrics/instruments.ts'
export {
  type Clearable,
  createMetrics,
  type Metrics,
  type MetricsOptions,
} from './core/metrics/metrics.ts'
export type { TopK, TopKSpec } from './core/metrics/top-k.ts'
