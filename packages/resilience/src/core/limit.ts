import { RateLimitedError } from './errors.ts'
import type { CallExecution } from './execution.ts'
import { createPolicy } from './guard.ts'
import type { Execution, Policy, Work } from './policy.ts'

/** Whether a call may be made. */
export interface LimitDecision {
  readonly allowed: boolean
  /** Milliseconds after which it may be tried again, when known. */
  readonly retryAfterMs?: number | undefined
}

/** Who decides for {@link createLimit}. */
export interface LimitOptions {
  /** Asked before each call, or before each try when this policy is inside a retry. */
  readonly limit: (execution: Execution) => LimitDecision | PromiseLike<LimitDecision>
  /** Told of each refusal. What it throws ends the call. */
  readonly onLimited?: ((decision: LimitDecision) => void) | undefined
}

/** Refuses calls that a limit of yours doesn't allow, with a RateLimitedError. Counts nothing itself. */
export function createLimit(options: LimitOptions): Policy {
  const { limit, onLimited } = options
  return createPolicy(async <T>(work: Work<T>, execution: CallExecution): Promise<T> => {
    const decision = await limit(execution)
    execution.throwIfAborted()
    if (decision.allowed) return work(execution)
    onLimited?.(decision)
    const error = new RateLimitedError(decision.retryAfterMs)
    execution.timeline.add({ kind: 'rejected', attempt: execution.attempt, reason: error.code })
    throw error
  })
}
