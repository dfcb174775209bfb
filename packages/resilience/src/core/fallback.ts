import { AbortedError } from './errors.ts'
import type { CallExecution } from './execution.ts'
import { createPolicy } from './guard.ts'
import type { Execution, Policy, Work } from './policy.ts'
import { reasonOf } from './timeline.ts'

/** What {@link createFallback} answers with. */
export interface FallbackOptions {
  /**
   * Makes the answer, of the type that the guarded work has. What it throws is thrown instead of
   * `error`.
   */
  readonly fallback: (error: unknown, execution: Execution) => unknown
  /** Which errors it is for. Default: all. */
  readonly when?: ((error: unknown) => boolean) | undefined
  /** Told of the error before the fallback is asked. What it throws ends the call. */
  readonly onFallback?: ((error: unknown) => void) | undefined
}

/** Answers in the work's place when it fails. Never after an abort: nobody is there to read it. */
export function createFallback(options: FallbackOptions): Policy {
  const { fallback, when = () => true, onFallback } = options
  return createPolicy(async <T>(work: Work<T>, execution: CallExecution): Promise<T> => {
    try {
      return await work(execution)
    } catch (error) {
      execution.throwIfAborted()
      if (error instanceof AbortedError || !when(error)) throw error
      onFallback?.(error)
      execution.timeline.add({ kind: 'fallback', reason: reasonOf(error) })
      return (await fallback(error, execution)) as T
    }
  })
}
