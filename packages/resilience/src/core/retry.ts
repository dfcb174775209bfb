import { type Backoff, createBackoff } from './backoff.ts'
import {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  isResilienceError,
  RateLimitedError,
} from './errors.ts'
import type { CallExecution } from './execution.ts'
import { type Guard, guardCall, monotonic } from './guard.ts'
import { checkCount, checkNumber, MAX_TIMER_MS } from './options.ts'
import type { ExecuteOptions, Policy, Work } from './policy.ts'
import type { RetryBudget } from './retry-budget.ts'
import { sleep } from './sleep.ts'
import { reasonOf, type TimelineEntry } from './timeline.ts'

/** A retry that is about to be waited for. */
export interface RetryEvent {
  /** The attempt that failed, counted from 1. */
  readonly attempt: number
  /** What it failed with. */
  readonly error: unknown
  /** Milliseconds until the next attempt. */
  readonly delayMs: number
}

/** When {@link createRetry} tries again. */
export interface RetryOptions {
  /** Tries after the first one. Default: 2. */
  readonly retries?: number | undefined
  /** How long to wait before each. Default: `createBackoff()`. */
  readonly backoff?: Backoff | undefined
  /**
   * Whether an error is worth another try. `delayMs` is when the callee wants to be asked again
   * (Retry-After): it is waited for instead of the backoff when it is longer. Never asked about an
   * AbortedError or a BulkheadFullError. Default: every error whose `retryable` isn't `false`, if it is
   * one of this package.
   */
  readonly retryable?: ((error: unknown) => boolean | { readonly delayMs?: number }) | undefined
  /** Milliseconds since the call began, after which no further try begins. Default: 60,000. */
  readonly maxElapsedMs?: number | undefined
  /** Shared by all who call the same upstream. Default: none. */
  readonly budget?: RetryBudget | undefined
  /** Told before each wait. What it throws ends the call. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * Calls the work again while it fails, at most `retries` times. Throws what the last try threw; at once
 * when the error isn't worth another try, the budget is spent, or the wait (that of the backoff, of the
 * callee, or until an open circuit is probed) would end after `maxElapsedMs`. The wait ends at the
 * caller's abort, and after one the work is never called.
 *
 * @throws RangeError when an option is out of range.
 */
export function createRetry(options: RetryOptions = {}): Policy {
  return new Retry(options)
}

class Retry implements Policy {
  readonly #retries: number
  readonly #backoff: Backoff
  readonly #retryable: NonNullable<RetryOptions['retryable']>
  readonly #maxElapsedMs: number
  readonly #budget: RetryBudget | undefined
  readonly #onRetry: RetryOptions['onRetry']
  readonly #now: () => number
  readonly #guard: Guard = (work, execution) => this.#run(work, execution)

  constructor(options: RetryOptions) {
    this.#retries = checkCount('retries', options.retries ?? 2, 0)
    this.#backoff = options.backoff ?? createBackoff()
    this.#retryable = options.retryable ?? isRetryable
    this.#maxElapsedMs = checkNumber(
      'maxElapsedMs',
      options.maxElapsedMs ?? 60_000,
      0,
      Number.POSITIVE_INFINITY,
    )
    this.#budget = options.budget
    this.#onRetry = options.onRetry
    this.#now = options.now ?? monotonic
  }

  execute<T>(work: Work<T>, options?: ExecuteOptions): Promise<T> {
    return guardCall(this.#guard, work, options, this.#now)
  }

  async #run<T>(work: Work<T>, first: CallExecution): Promise<T> {
    this.#budget?.onCall()
    const startedAt = this.#now()
    let execution = first
    let attemptAt = startedAt
    let waitedMs = 0
    for (let retry = 1; ; retry++) {
      const toldBefore = execution.lastEntry
      let wait: Wait | undefined
      try {
        return await work(execution)
      } catch (error) {
        execution.throwIfAborted()
        const now = this.#now()
        tellFailure(execution, toldBefore, error, now - attemptAt)
        wait = this.#plan(error, retry, waitedMs, startedAt + this.#maxElapsedMs - now)
        if (wait === undefined || !this.#isPaid(execution)) throw error
        this.#onRetry?.({ attempt: execution.attempt, error, delayMs: wait.ms })
      }
      execution.timeline.add({ kind: 'wait', at: execution.timeline.elapsed, ...wait })
      await sleep(wait.ms, execution)
      execution.throwIfAborted()
      attemptAt = this.#now()
      waitedMs = wait.ms
      execution = first.forAttempt(first.attempt + retry)
    }
  }

  /** How long to wait for the next try; `undefined` when there is none. */
  #plan(error: unknown, retry: number, waitedMs: number, leftMs: number): Wait | undefined {
    if (retry > this.#retries) return undefined
    if (error instanceof AbortedError || error instanceof BulkheadFullError) return undefined
    const verdict = this.#retryable(error)
    if (verdict === false) return undefined
    const backoffMs = this.#backoff.delay(retry, waitedMs)
    const askedMs = Math.max(
      (typeof verdict === 'object' ? verdict.delayMs : undefined) || 0,
      refusedForMs(error),
    )
    const wait: Wait =
      askedMs > backoffMs
        ? { ms: askedMs, reason: 'retry_after' }
        : { ms: backoffMs, reason: 'backoff' }
    return wait.ms > Math.min(leftMs, MAX_TIMER_MS) ? undefined : wait
  }

  #isPaid(execution: CallExecution): boolean {
    if (this.#budget === undefined || this.#budget.tryRetry()) return true
    execution.timeline.add({ kind: 'rejected', reason: 'retry_budget' })
    return false
  }
}

interface Wait {
  readonly ms: number
  readonly reason: 'backoff' | 'retry_after'
}

function isRetryable(error: unknown): boolean {
  return !isResilienceError(error) || error.retryable
}

/** Milliseconds for which a policy inside refuses the next try, too. */
function refusedForMs(error: unknown): number {
  if (!(error instanceof CircuitOpenError || error instanceof RateLimitedError)) return 0
  // Timers may fire up to a millisecond early, and a try that comes too early is lost.
  return error.retryAfterMs === undefined ? 0 : error.retryAfterMs + 1
}

/** Tells the history of a failed attempt, unless an inner policy or the work itself has done so. */
function tellFailure(
  execution: CallExecution,
  toldBefore: TimelineEntry | undefined,
  error: unknown,
  ms: number,
): void {
  const { attempt, lastEntry, timeline } = execution
  const told = lastEntry?.kind === 'failure' || lastEntry?.kind === 'rejected'
  if (told && lastEntry !== toldBefore) return
  timeline.add({ kind: 'failure', attempt, ms, reason: reasonOf(error) })
}
