export {
  type LogConformanceCase,
  type LogHarness,
  logConformance,
} from './testing/log-conformance.ts'
export {
  type RecordingsConformanceCase,
  type RecordingsHarness,
  recordingsConformance,
} from './testing/recordings-conformance.ts'
