import { AbortedError } from '../core/errors.ts'

/** Lets calls that ask for the same thing at the same time share one piece of work. */
export interface Deduper<T> {
  /**
   * Joins the work under way for `key`, or begins it. All get the same value, or the same error: whoever
   * changes the value changes it for all. One caller's abort ends its own waiting only; when the last one
   * has left, the work's signal aborts, and whoever asks next begins anew.
   *
   * @throws AbortedError at once when `signal` aborts.
   */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Pieces of work under way. */
  readonly size: number
}

interface Flight<T> {
  readonly controller: AbortController
  readonly result: Promise<T>
  waiting: number
}

/** Makes a {@link Deduper}. Nothing is kept after the work has ended. */
export function createDeduper<T>(): Deduper<T> {
  const flights = new Map<string, Flight<T>>()

  function take(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const known = flights.get(key)
    if (known !== undefined) return known
    const controller = new AbortController()
    const result = new Promise<T>((resolve) => resolve(work(controller.signal)))
    const flight = { controller, result, waiting: 0 }
    flights.set(key, flight)
    const end = () => forget(key, flight)
    result.then(end, end)
    return flight
  }

  function forget(key: string, flight: Flight<T>): void {
    if (flights.get(key) === flight) flights.delete(key)
  }

  function leave(key: string, flight: Flight<T>, reason: unknown): void {
    flight.waiting -= 1
    if (flight.waiting > 0) return
    forget(key, flight)
    flight.controller.abort(reason)
  }

  return {
    run: (key, work, signal) => {
      if (signal?.aborted) return Promise.reject(aborted(signal))
      const flight = take(key, work)
      flight.waiting += 1
      if (signal === undefined) return flight.result
      return new Promise<T>((resolve, reject) => {
        const onAbort = () => {
          leave(key, flight, signal.reason)
          reject(aborted(signal))
        }
        signal.addEventListener('abort', onAbort, { once: true })
        const settled = () => signal.removeEventListener('abort', onAbort)
        flight.result.then(
          (value) => {
            settled()
            resolve(value)
          },
          (error) => {
            settled()
            reject(error)
          },
        )
      })
    },
    get size() {
      return flights.size
    },
  }
}

function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('The caller aborted the call.', { cause: signal.reason })
}
