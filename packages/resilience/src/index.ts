export { type Backoff, type BackoffOptions, createBackoff } from './core/backoff.ts'
export { type Balanced, pickEndpoint } from './core/balance.ts'
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitEvent,
  type CircuitReason,
  type CircuitSnapshot,
  type CircuitState,
  createCircuitBreaker,
  type Permit,
} from './core/breaker/circuit-breaker.ts'
export type { OutcomeCounts, OutcomeReason } from './core/breaker/outcome-window.ts'
export type { ConsecutiveTrip, CountTrip, TimeTrip, Trip, TripRates } from './core/breaker/trip.ts'
export { type Bulkhead, type BulkheadOptions, createBulkhead, type Slot } from './core/bulkhead.ts'
export { compose } from './core/compose.ts'
export {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  isResilienceError,
  RateLimitedError,
  ResilienceError,
  type ResilienceErrorOptions,
  TimeoutError,
  type TimeoutLimit,
} from './core/errors.ts'
export { createFallback, type FallbackOptions } from './core/fallback.ts'
export { createHedge, type HedgeEvent, type HedgeOptions } from './core/hedge.ts'
export {
  createHedgeBudget,
  type HedgeBudget,
  type HedgeBudgetOptions,
} from './core/hedge-budget.ts'
export { createLimit, type LimitDecision, type LimitOptions } from './core/limit.ts'
export type { ExecuteOptions, Execution, Policy, Work } from './core/policy.ts'
export { createQuantile, type Quantile, type QuantileOptions } from './core/quantile.ts'
export { createRetry, type RetryEvent, type RetryOptions } from './core/retry.ts'
export { parseRetryAfter, type RetryAfterHeaders } from './core/retry-after.ts'
export {
  createRetryBudget,
  type RetryBudget,
  type RetryBudgetOptions,
} from './core/retry-budget.ts'
export { Timeline, type TimelineEntry, timelineOf } from './core/timeline.ts'
export { createTimeout, type TimeoutOptions } from './core/timeout.ts'
