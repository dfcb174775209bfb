/** Below this part of its limit a reading has come down again. */
const CALM = 0.8

/** At this multiple of its limit as much is shed as ever is. */
const FULL = 2

/** Something is let in whatever the load, or nobody would notice that it is over. */
const MOST = 0.95

/** How much of the last sample a falling reading keeps: shedding ends gently, and doesn't swing. */
const KEPT = 0.5

/**
 * How much is to be shed, from 0 to 0.95, for readings as parts of their limit: from 1 on, more the more it
 * is, until it is below 0.8 again. Rises at once and falls gradually.
 */
export class Pressure {
  #level = 0
  #shedding = false

  /** Takes a reading (1: at its limit) and gives the probability with which to shed until the next. */
  push(reading: number): number {
    this.#level = Math.max(reading, KEPT * this.#level + (1 - KEPT) * reading)
    if (this.#level >= 1) this.#shedding = true
    else if (this.#level < CALM) this.#shedding = false
    if (!this.#shedding) return 0
    return Math.min(MOST, Math.max(0, (this.#level - CALM) / (FULL - CALM)))
  }

  /** The smoothed reading. */
  get level(): number {
    return this.#level
  }
}
