/** How many calls may be made in how long, counted in windows of the clock. */
export class CallBudget {
  readonly #amount: number
  readonly #windowMs: number
  readonly #now: () => number
  #window = Number.NEGATIVE_INFINITY
  #used = 0

  constructor({ amount, windowMs }: { amount: number; windowMs: number }, now: () => number) {
    this.#amount = amount
    this.#windowMs = windowMs
    this.#now = now
  }

  get left(): number {
    this.#turn()
    return this.#amount - this.#used
  }

  /** Takes one; false: there is none left. */
  take(): boolean {
    if (this.left <= 0) return false
    this.#used += 1
    return true
  }

  #turn(): void {
    const window = Math.floor(this.#now() / this.#windowMs)
    if (window === this.#window) return
    this.#window = window
    this.#used = 0
  }
}
