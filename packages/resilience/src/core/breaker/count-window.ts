import type { OutcomeCounts, OutcomeReason, OutcomeWindow, RateLimits } from './outcome-window.ts'
import { exceededRate } from './outcome-window.ts'

const FAILED = 1
const SLOW = 2

/** Remembers the last `size` outcomes, however old they are. */
export class CountWindow implements OutcomeWindow {
  readonly #limits: RateLimits
  readonly #outcomes: Uint8Array
  #next = 0
  #calls = 0
  #failures = 0
  #slow = 0

  constructor(size: number, limits: RateLimits) {
    this.#limits = limits
    this.#outcomes = new Uint8Array(size)
  }

  get calls(): number {
    return this.#calls
  }

  get failures(): number {
    return this.#failures
  }

  get slow(): number {
    return this.#slow
  }

  record(failed: boolean, slow: boolean): OutcomeReason | undefined {
    const outcomes = this.#outcomes
    const outcome = (failed ? FAILED : 0) | (slow ? SLOW : 0)
    const oldest = outcomes[this.#next] ?? 0
    outcomes[this.#next] = outcome
    this.#next = (this.#next + 1) % outcomes.length
    this.#calls = Math.min(this.#calls + 1, outcomes.length)
    this.#failures += (outcome & FAILED) - (oldest & FAILED)
    this.#slow += ((outcome & SLOW) - (oldest & SLOW)) / SLOW
    return exceededRate(this, this.#limits)
  }

  counts(): OutcomeCounts {
    return { calls: this.#calls, failures: this.#failures, slow: this.#slow }
  }

  clear(): void {
    this.#outcomes.fill(0)
    this.#next = 0
    this.#calls = 0
    this.#failures = 0
    this.#slow = 0
  }
}
