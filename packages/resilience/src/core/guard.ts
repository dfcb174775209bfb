import { CallExecution } from './execution.ts'
import type { ExecuteOptions, Policy, Work } from './policy.ts'
import { reasonOf, rememberTimeline, timelineOf } from './timeline.ts'

/**
 * What a policy does with a call. It may leave the caller's abort to {@link guardCall}, which settles
 * the call at once, but begins nothing new when `execution.aborted`.
 */
export type Guard = <T>(work: Work<T>, execution: CallExecution) => Promise<T>

/**
 * What every policy's `execute` is. The outermost one ends the call when the caller aborts and gives
 * the error its history; a policy inside another does nothing but its own part.
 */
export function guardCall<T>(
  guard: Guard,
  work: Work<T>,
  options: ExecuteOptions | undefined,
  now: () => number = monotonic,
): Promise<T> {
  if (options instanceof CallExecution) {
    return options.aborted ? Promise.reject(options.abortedError()) : guard(work, options)
  }
  const execution = CallExecution.begin(options, now)
  const signal = options?.signal
  return signal === undefined
    ? guard(work, execution).catch((error) => Promise.reject(withHistory(error, execution)))
    : untilAborted(guard, work, execution, signal)
}

/** A policy that has nothing beside `execute`. */
export function createPolicy(guard: Guard, now?: () => number): Policy {
  return { execute: (work, options) => guardCall(guard, work, options, now) }
}

export function monotonic(): number {
  return performance.now()
}

/** Calls `work` such that whatever it throws is a rejection. */
export function start<T>(work: Work<T>, execution: CallExecution): Promise<T> {
  try {
    return Promise.resolve(work(execution))
  } catch (error) {
    return Promise.reject(error)
  }
}

function untilAborted<T>(
  guard: Guard,
  work: Work<T>,
  execution: CallExecution,
  signal: AbortSignal,
): Promise<T> {
  if (signal.aborted) {
    return Promise.reject(withHistory(execution.abortedError(), execution))
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(withHistory(execution.abortedError(), execution))
    signal.addEventListener('abort', onAbort, { once: true })
    guard(work, execution).then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error: unknown) => {
        // After the abort the call has its error already, whatever the work made of it.
        if (signal.aborted) return
        signal.removeEventListener('abort', onAbort)
        reject(withHistory(error, execution))
      },
    )
  })
}

/** Adds the last failure to the call's history, unless it was told, and gives it to the error. */
function withHistory(error: unknown, execution: CallExecution): unknown {
  const { timeline } = execution
  const { last } = timeline
  // An error of a call inside the work knows more than we do.
  if (last === undefined && timelineOf(error).length > 0) return error
  if (last?.kind !== 'failure' && last?.kind !== 'rejected') {
    const { elapsed } = timeline
    const at = last === undefined ? 0 : Math.min(elapsed, last.at + (last.ms ?? 0))
    const { attempt } = execution.call
    timeline.add({ kind: 'failure', attempt, at, ms: elapsed - at, reason: reasonOf(error) })
  }
  rememberTimeline(error, timeline)
  return error
}
