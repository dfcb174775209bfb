export {
  type Check,
  type CheckContext,
  type CheckDetails,
  CheckError,
  type CheckFault,
  type CheckOutcome,
} from './core/check.ts'
export type { CheckOptions } from './core/component-options.ts'
export type { Duration } from './core/duration.ts'
export { HealthError, type HealthErrorCode, isHealthError } from './core/errors.ts'
export {
  createHealth,
  type Health,
  type HealthChange,
  type HealthOptions,
  type ReportOptions,
} from './core/health.ts'
export {
  HEALTH_JSON,
  type HealthJson,
  healthJson,
} from './core/health-json.ts'
export {
  createLoadShedder,
  type LoadShedder,
  type LoadShedderOptions,
  type LoadState,
  type Shed,
} from './core/load/load-shedder.ts'
export type { LoadReading, LoadSource } from './core/load/load-source.ts'
export {
  type CheckResult,
  type HealthReport,
  type HealthSummary,
  type Readiness,
  summaryOf,
} from './core/report.ts'
export {
  createShutdown,
  type Shutdown,
  type ShutdownFault,
  type ShutdownOptions,
  type ShutdownPhase,
  type ShutdownResult,
  type StepContext,
  type StepOptions,
} from './core/shutdown/shutdown.ts'
export {
  type SignalOptions,
  type SignalSource,
  shutdownOnSignals,
} from './core/shutdown/signals.ts'
export type { HealthStatus } from './core/status.ts'
export type { MemoryUse } from './core/system/memory.ts'
export {
  createSystemMetrics,
  type SystemMetrics,
  type SystemReader,
} from './core/system/system-metrics.ts'
