/** How many readings may share one look at the clock, when they come fast. */
const MOST = 64
/** So many readings have to come within a millisecond each before any is shared. */
const FAST = 256

/**
 * A clock that is read on every hit, where looking at the system's would cost more than the hit. Only while
 * readings come fast do up to 64 of them share one look, and none is kept beyond a millisecond once the event
 * loop turns: so it lags behind only for the rest of a turn that hardly reads it.
 */
export class Clock {
  /** Which millisecond it is, as a small number above 0. */
  moment = 0
  readonly #now: () => number
  readonly #most: number
  #ms = 0
  #left = 0
  /** Consecutive looks that found the millisecond unchanged. */
  #fast = 0
  #armed = false
  readonly #forget = () => {
    this.#armed = false
    this.#left = 0
  }

  /** `exact`: each reading is a look. */
  constructor(now: () => number, exact: boolean) {
    this.#now = now
    this.#most = exact ? 1 : MOST
  }

  read(): number {
    if (this.#left === 0) return this.#look()
    this.#left -= 1
    return this.#ms
  }

  #look(): number {
    const ms = this.#now()
    this.moment = ((ms % 0x3fff_ffff) | 0) + 1
    this.#fast = ms - this.#ms <= 1 ? this.#fast + 1 : 0
    this.#ms = ms
    if (this.#fast < FAST || this.#most === 1) return ms
    this.#left = this.#most - 1
    if (!this.#armed) {
      this.#armed = true
      setTimeout(this.#forget, 1).unref()
    }
    return ms
  }
}
