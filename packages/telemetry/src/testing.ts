export {
  type HistoryConformanceCase,
  type HistoryHarness,
  historyConformance,
} from './testing/history-conformance.ts'
