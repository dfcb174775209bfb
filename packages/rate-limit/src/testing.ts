export {
  type SessionConformanceCase,
  type SessionHarness,
  sessionConformance,
} from './sessions/session-conformance.ts'
export { type ConformanceCase, type StoreHarness, storeConformance } from './testing/conformance.ts'
export {
  type Admitted,
  type Interval,
  type Loss,
  type Promised,
  tightestInterval,
} from './testing/promise.ts'
