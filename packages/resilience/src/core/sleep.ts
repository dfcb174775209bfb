import type { CallExecution } from './execution.ts'

/** Waits, unless the result is no longer wanted: then it throws an AbortedError at once. */
export function sleep(ms: number, execution: CallExecution): Promise<void> {
  return new Promise((resolve, reject) => {
    if (execution.aborted) return reject(execution.abortedError())
    const onAbort = (): void => {
      clearTimeout(timer)
      execution.removeAbortListener(onAbort)
      reject(execution.abortedError())
    }
    const timer = setTimeout(() => {
      execution.removeAbortListener(onAbort)
      resolve()
    }, ms)
    execution.addAbortListener(onAbort)
  })
}
