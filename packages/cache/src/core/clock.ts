/** How many readings may share one look, when they come fast. */
const MOST = 64
/** So many looks have to find the time hardly changed before any is shared. */
const FAST = 256
/** Milliseconds of a tick. */
const TICK_MS = 64
/** Ticks stay small integers, in both directions: for two years. */
const MOST_TICKS = 2 ** 30 - 1

/**
 * A clock that is read on every hit, where looking at the system's would cost more than the hit. Only while
 * readings come fast do up to 64 of them share one look, and none is kept beyond a millisecond once the event
 * loop turns: so it lags behind only for the rest of a turn that hardly reads it.
 */
export class Clock {
  readonly #now: () => number
  readonly #most: number
  readonly #base: number
  #ms: number
  #tick = 1
  #left = 0
  /** Consecutive looks that found the time hardly changed. */
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
    this.#ms = now()
    // The first tick is 1, so that 0 is never.
    this.#base = this.#ms - TICK_MS
  }

  /** Which tick it is: a small integer that grows every 64 ms. */
  tick(): number {
    if (this.#left === 0) this.#look()
    else this.#left -= 1
    return this.#tick
  }

  /** The milliseconds of the tick that was told last, exactly. */
  get ms(): number {
    return this.#ms
  }

  /** The tick in which a time lies: in every tick before it, that time is still to come. */
  tickOf(ms: number): number {
    const ticks = Math.floor((ms - this.#base) / TICK_MS)
    return Math.max(-MOST_TICKS, Math.min(MOST_TICKS, ticks)) | 0
  }

  #look(): void {
    const ms = this.#now()
    this.#fast = ms - this.#ms <= 1 ? this.#fast + 1 : 0
    this.#ms = ms
    this.#tick = this.tickOf(ms)
    if (this.#fast < FAST || this.#most === 1) return
    this.#left = this.#most - 1
    if (this.#armed) return
    this.#armed = true
    setTimeout(this.#forget, 1).unref()
  }
}
