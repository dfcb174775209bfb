export type { AcquireOptions, Admission, SubjectRequests } from './core/admission.ts'
export type { Decision, Outcome } from './core/decision.ts'
export {
  InvalidRequestError,
  isRateLimitError,
  NeverAllowedError,
  RateLimitError,
  type RateLimitErrorCode,
} from './core/errors.ts'
export type { StoreChange } from './core/fallback/fallback-store.ts'
export type { Lease } from './core/lease.ts'
export { limiterKey } from './core/limiter-key.ts'
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from './core/memory-store.ts'
export type { PolicyRequest } from './core/policies.ts'
export {
  type CheckOptions,
  createRateLimiter,
  type DecisionEvent,
  type RateLimiter,
  type RateLimiterOptions,
} from './core/rate-limiter.ts'
export {
  type BucketOptions,
  type BudgetOptions,
  type BudgetRule,
  budget,
  type ConcurrencyOptions,
  type ConcurrencyRule,
  concurrency,
  type FixedWindowOptions,
  type FixedWindowRule,
  fixedWindow,
  type OnStoreError,
  type Precision,
  type Rule,
  type RuleOptions,
  type SlidingWindowRule,
  slidingWindow,
  type TokenBucketOptions,
  type TokenBucketRule,
  tokenBucket,
  type WindowOptions,
} from './core/rules.ts'
export type { Limit, Store, StoreAction, StoreRequest, Verdict } from './core/store.ts'
