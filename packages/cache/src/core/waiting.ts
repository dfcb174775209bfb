/** It took too long for one of those who wait; it goes on for the others. */
export const LATE: unique symbol = Symbol('late')

/**
 * Waits for something that others wait for, too: until `signal` aborts, then it rejects with its reason;
 * and for `ms` at most, then it is {@link LATE}.
 */
export function waitFor<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  ms?: number,
): Promise<T | typeof LATE> {
  if (signal === undefined && ms === undefined) return promise
  if (signal?.aborted === true) {
    // What it comes to is nobody's here, and no listener would be told again.
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    }
    const leave = () => {
      done()
      reject(signal?.reason)
    }
    const timer =
      ms === undefined
        ? undefined
        : setTimeout(() => {
            done()
            resolve(LATE)
          }, ms)
    signal?.addEventListener('abort', leave, { once: true })
    promise.then(
      (value) => {
        done()
        resolve(value)
      },
      (error: unknown) => {
        done()
        reject(error)
      },
    )
  })
}
