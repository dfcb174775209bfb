/** So many calls in a minute, evenly: at most a sixth of them at once. */
export class CallBudget {
  readonly #perMs: number
  readonly #most: number
  #left: number
  #at: number

  constructor(callsPerMinute: number, now: number) {
    this.#perMs = callsPerMinute / 60_000
    this.#most = callsPerMinute > 0 ? Math.max(1, callsPerMinute / 6) : 0
    this.#left = this.#most
    this.#at = now
  }

  take(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + Math.max(0, now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
