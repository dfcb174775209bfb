export type { LogBounds, LogConformanceCase, LogHarness } from './testing/log-case.ts'
export { logConformance } from './testing/log-conformance.ts'
export {
  type RecordingsConformanceCase,
  type RecordingsHarness,
  recordingsConformance,
} from './testing/recordings-conformance.ts'
