export { isTelemetryError, TelemetryError, type TelemetryErrorCode } from './core/errors.ts'
export {
  type Exposition,
  type ExpositionFormat,
  type ExpositionOptions,
  exposition,
} from './core/exposition/exposition.ts'
export { type JsonMetric, type JsonSeries, metricsJson } from './core/exposition/json.ts'
export { type MetricsFormat, negotiate } from './core/exposition/negotiate.ts'
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
  type FoundInstrument,
  type Metrics,
  type MetricsOptions,
} from './core/metrics/metrics.ts'
export { observeProcess } from './core/metrics/process.ts'
export type { TopK, TopKSpec } from './core/metrics/top-k.ts'
export {
  type GenAiOperation,
  type GenAiTokenType,
  genAiAttributes,
  genAiOperationDuration,
  genAiTimeToFirstChunk,
  genAiTokenUsage,
} from './core/names/gen-ai.ts'
export {
  createWindow,
  type RollingWindow,
  type Totals,
  type WindowOptions,
  type WindowReading,
} from './core/summary/window.ts'
