export { createHistory } from './history/create-history.ts'
export type {
  History,
  HistoryQuery,
  HistorySample,
  HistoryStats,
  RecordOptions,
  Weighted,
} from './history/history.ts'
export { HISTORY_KINDS, type HistoryKind } from './history/kind.ts'
export { memoryHistoryStore } from './history/memory-store.ts'
export type { HistoryOptions } from './history/options.ts'
export type { MetricTags, PublishedMetric } from './history/published.ts'
export type { Run } from './history/ring.ts'
export type { Series } from './history/series.ts'
export type {
  HistoryBatch,
  HistoryMetric,
  HistoryRead,
  HistoryReading,
  HistoryResolution,
  HistoryRun,
  HistoryStore,
} from './history/store.ts'
