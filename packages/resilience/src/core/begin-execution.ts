import type { ExecuteOptions, Execution } from './policy.ts'
import { Timeline } from './timeline.ts'

/** What work is told when no outer policy has begun the call. */
export function beginExecution(options: ExecuteOptions): Execution {
  return {
    signal: options.signal ?? new AbortController().signal,
    attempt: options.attempt ?? 1,
    timeline: options.timeline ?? new Timeline(() => performance.now()),
  }
}
