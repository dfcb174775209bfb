/** Someone who waits since so many milliseconds on a clock that never goes back. */
export interface Waiter {
  readonly since: number
}

/**
 * Those who wait, the one who has waited longest first. One timer watches over all, and keeps no process
 * alive when nobody waits.
 */
export class WaitingRoom<One extends Waiter> {
  readonly #mostMs: number
  readonly #monotonic: () => number
  readonly #onTooLong: (first: One) => void
  readonly #waiters = new Set<One>()
  #timer: NodeJS.Timeout | undefined

  /** @param onTooLong told of the first who has waited for `mostMs`, and still does. */
  constructor(mostMs: number, monotonic: () => number, onTooLong: (first: One) => void) {
    this.#mostMs = mostMs
    this.#monotonic = monotonic
    this.#onTooLong = onTooLong
  }

  enter(waiter: One): void {
    this.#waiters.add(waiter)
    if (this.#timer === undefined) this.#watch(this.#mostMs)
    else this.#timer.ref()
  }

  /** False: has left before. */
  leave(waiter: One): boolean {
    const waited = this.#waiters.delete(waiter)
    if (this.#waiters.size === 0) this.#timer?.unref()
    return waited
  }

  /** All who wait leave. */
  empty(): readonly One[] {
    const all = [...this.#waiters]
    this.#waiters.clear()
    this.#timer?.unref()
    return all
  }

  #watch(ms: number): void {
    // After a pause of this process answers may have come that nobody has read yet: they are read first.
    this.#timer = setTimeout(() => setImmediate(() => this.#lookAtFirst()), ms)
  }

  #lookAtFirst(): void {
    this.#timer = undefined
    const [first] = this.#waiters
    if (first === undefined) return
    const leftMs = first.since + this.#mostMs - this.#monotonic()
    // Timers may be early by a fraction of a millisecond.
    if (leftMs > 1) this.#watch(Math.ceil(leftMs))
    else this.#onTooLong(first)
  }
}
