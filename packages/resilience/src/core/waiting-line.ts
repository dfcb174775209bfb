import { AbortedError, TimeoutError } from './errors.ts'

/** Callers in the order they came. Any may leave, wherever it stands, at the same small cost. */
export class WaitingLine<T> {
  #first: Waiter<T> | undefined
  #last: Waiter<T> | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /**
   * Joins the end of the line and waits to be admitted.
   *
   * @throws AbortedError when `signal` aborts first.
   * @throws TimeoutError (limit `queue`) when `limitMs` are over first.
   */
  wait(signal: AbortSignal | undefined, limitMs: number | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(resolve)
      const leave = (error: Error): void => {
        this.#remove(waiter)
        reject(error)
      }
      this.#append(waiter)
      if (signal !== undefined) waiter.watch(signal, () => leave(abortedInLine(signal)))
      if (limitMs !== undefined)
        waiter.limit(limitMs, () => leave(new TimeoutError('queue', limitMs)))
    })
  }

  /** Admits whoever has waited longest; nobody may be waiting. */
  admit(value: T): void {
    const waiter = this.#first
    if (waiter === undefined) return
    this.#remove(waiter)
    waiter.resolve(value)
  }

  #append(waiter: Waiter<T>): void {
    waiter.before = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.after = waiter
    this.#last = waiter
    this.#length += 1
  }

  #remove(waiter: Waiter<T>): void {
    const { before, after } = waiter
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    this.#length -= 1
    waiter.stopWatching()
  }
}

export function abortedInLine(signal: AbortSignal): AbortedError {
  return new AbortedError('Aborted by the caller before there was a place.', {
    cause: signal.reason,
  })
}

class Waiter<T> {
  readonly resolve: (value: T) => void
  before: Waiter<T> | undefined
  after: Waiter<T> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor(resolve: (value: T) => void) {
    this.resolve = resolve
  }

  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal
    this.#onAbort = onAbort
    signal.addEventListener('abort', onAbort, { once: true })
  }

  limit(ms: number, onOver: () => void): void {
    this.#timer = setTimeout(onOver, ms)
  }

  stopWatching(): void {
    clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
