import { AbortedError, TimeoutError } from '../core/errors.ts'

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What bounds a wait. */
export interface WaitBounds {
  /** Milliseconds that are left of the whole call. */
  readonly leftMs: number
  /** The whole call's limit, for the error. */
  readonly totalMs: number
  readonly signal: AbortSignal | undefined
}

/** Waits. @throws AbortedError as soon as the signal aborts. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedBy(signal))
    const onAbort = () => {
      clearTimeout(timer)
      reject(abortedBy(signal))
    }
    const onTime = () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    const timer = setTimeout(onTime, Math.min(Math.ceil(ms), LONGEST_TIMER_MS))
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * What `work` gives, unless the caller or the time ends it first: then its signal aborts, and `discard`
 * gets what it gives all the same.
 *
 * @throws AbortedError, or TimeoutError (limit `total`).
 */
export function bounded<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { leftMs, totalMs, signal }: WaitBounds,
  discard: (value: T) => void = ignore,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedBy(signal))
    const controller = new AbortController()
    let over = false
    const end = () => {
      over = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const stop = (error: Error) => {
      end()
      reject(error)
      controller.abort(error)
    }
    const onAbort = () => stop(abortedBy(signal))
    const onTime = () => stop(new TimeoutError('total', totalMs))
    const timer =
      leftMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(onTime, Math.min(Math.max(1, Math.ceil(leftMs)), LONGEST_TIMER_MS))
    signal?.addEventListener('abort', onAbort, { once: true })
    work(controller.signal).then(
      (value) => {
        if (over) return discard(value)
        end()
        resolve(value)
      },
      (error) => {
        end()
        reject(error)
      },
    )
  })
}

/** What a caller's abort is told as. */
export function abortedBy(signal: AbortSignal | undefined): AbortedError {
  return new AbortedError('The caller aborted the call.', { cause: signal?.reason })
}

function ignore(): void {}
