import { TimeoutError } from './errors.ts'
import { type CallExecution, CancellableExecution } from './execution.ts'
import { createPolicy, start } from './guard.ts'
import { checkNumber, MAX_TIMER_MS } from './options.ts'
import type { Policy, Work } from './policy.ts'

/** What {@link createTimeout} limits. */
export interface TimeoutOptions {
  /** The limit in milliseconds, at most 2,147,483,647 (24 days). */
  readonly ms: number
  /** What the error says was limited: one try, or all of them. Default: `attempt`. */
  readonly limit?: 'attempt' | 'total' | undefined
}

/**
 * Ends a call that takes longer than `ms` with a TimeoutError, whether or not the work heeds its signal,
 * which aborts then. The signal stays as it is when the work is done in time: a body that came with the
 * result can still be read, under the caller's own signal.
 *
 * @throws RangeError when `ms` is nothing a timer can keep.
 */
export function createTimeout(options: TimeoutOptions): Policy {
  const ms = checkNumber('ms', options.ms, 1, MAX_TIMER_MS)
  const { limit = 'attempt' } = options
  return createPolicy(<T>(work: Work<T>, outer: CallExecution): Promise<T> => {
    return new Promise((resolve, reject) => {
      const execution = new CancellableExecution(outer)
      const end = (): void => {
        clearTimeout(timer)
        outer.removeAbortListener(onAbort)
      }
      const onAbort = (): void => {
        end()
        reject(outer.abortedError())
      }
      const timer = setTimeout(() => {
        end()
        const error = new TimeoutError(limit, ms)
        reject(error)
        execution.cancel(error)
      }, ms)
      outer.addAbortListener(onAbort)
      start(work, execution).then(
        (value) => {
          end()
          resolve(value)
        },
        (error: unknown) => {
          end()
          reject(error)
        },
      )
    })
  })
}
