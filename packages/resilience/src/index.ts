export { type Backoff, type BackoffOptions, createBackoff } from './core/backoff.ts'
export { ResilienceError } from './core/errors.ts'
export { parseRetryAfter, type RetryAfterHeaders } from './core/retry-after.ts'
export {
  createRetryBudget,
  type RetryBudget,
  type RetryBudgetOptions,
} from './core/retry-budget.ts'
