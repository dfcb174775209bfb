/** Someone who waits since so many milliseconds on a clock that never goes back. */
export interface Waiter {
  readonly since: number
}

/** Where somebody waits. */
export interface Place<One> {
  /** Nobody, when they have left. */
  one: One | undefined
  before: Place<One> | undefined
  after: Place<One> | undefined
}

/**
 * Those who wait, the one who has waited longest first. One timer watches over all, and keeps no process
 * alive when nobody waits.
 *
 * A list rather than a Set: one whose members come and go keeps them from being collected for long, as V8
 * links the tables that it replaces. For the same reason places that were left lead nowhere.
 */
export class WaitingRoom<One extends Waiter> {
  readonly #mostMs: number
  readonly #monotonic: () => number
  readonly #onTooLong: (first: One) => void
  #first: Place<One> | undefined
  #last: Place<One> | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param onTooLong told of the first who has waited for `mostMs`, and still does. */
  constructor(mostMs: number, monotonic: () => number, onTooLong: (first: One) => void) {
    this.#mostMs = mostMs
    this.#monotonic = monotonic
    this.#onTooLong = onTooLong
  }

  enter(one: One): Place<One> {
    const place: Place<One> = { one, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = place
    else this.#last.after = place
    this.#last = place
    if (this.#timer === undefined) this.#watch(this.#mostMs)
    else this.#timer.ref()
    return place
  }

  /** False: they have left before. */
  leave(place: Place<One>): boolean {
    const { one, before, after } = place
    if (one === undefined) return false
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    place.one = undefined
    place.before = undefined
    place.after = undefined
    if (this.#first === undefined) this.#timer?.unref()
    return true
  }

  /** All who wait leave. */
  empty(): readonly One[] {
    const all: One[] = []
    for (let place = this.#first; place !== undefined; place = this.#first) {
      if (place.one !== undefined) all.push(place.one)
      this.leave(place)
    }
    return all
  }

  #watch(ms: number): void {
    // After a pause of this process answers may have come that nobody has read yet: they are read first.
    this.#timer = setTimeout(() => setImmediate(() => this.#lookAtFirst()), ms)
  }

  #lookAtFirst(): void {
    this.#timer = undefined
    const first = this.#first?.one
    if (first === undefined) return
    const leftMs = first.since + this.#mostMs - this.#monotonic()
    // Timers may be early by a fraction of a millisecond.
    if (leftMs > 1) this.#watch(Math.ceil(leftMs))
    else this.#onTooLong(first)
  }
}
