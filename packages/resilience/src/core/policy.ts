import type { Timeline } from './timeline.ts'

/** What a called function is told. */
export interface Execution {
  /** Aborts when the result is no longer wanted. To be passed on to whatever takes one. */
  readonly signal: AbortSignal
  /** Counts the tries, from 1. */
  readonly attempt: number
  /** The call's history so far. */
  readonly timeline: Timeline
}

/** The work that a policy guards. */
export type Work<T> = (execution: Execution) => T | PromiseLike<T>

/** What a call can be given. An outer policy's {@link Execution} is such options. */
export interface ExecuteOptions {
  /** Ends the call, wherever it is: no policy goes on after it. */
  readonly signal?: AbortSignal | undefined
  /** @internal The history that an outer policy has begun. */
  readonly timeline?: Timeline
  /** @internal The try that an outer policy is at. */
  readonly attempt?: number
}

/** One way of guarding a call. */
export interface Policy {
  /**
   * Calls `work` under this policy and returns what it returns. What `work` throws at last is thrown
   * on as it is; a policy's own errors are `ResilienceError`s. `timelineOf(error)` tells the history of
   * either.
   *
   * @throws AbortedError as soon as `options.signal` aborts, whatever `work` does with it.
   */
  execute<T>(work: Work<T>, options?: ExecuteOptions): Promise<T>
}
