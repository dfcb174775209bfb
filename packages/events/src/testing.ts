export {
  type LogConformanceCase,
  type LogHarness,
  logConformance,
} from './testing/log-conformance.ts'
