import type { OutcomeCounts, OutcomeReason, OutcomeWindow } from './outcome-window.ts'

/** Counts the failures since the last success. */
export class ConsecutiveWindow implements OutcomeWindow {
  readonly #limit: number
  #failures = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  record(failed: boolean): OutcomeReason | undefined {
    this.#failures = failed ? this.#failures + 1 : 0
    return this.#failures >= this.#limit ? 'consecutive_failures' : undefined
  }

  counts(): OutcomeCounts {
    return { calls: this.#failures, failures: this.#failures, slow: 0 }
  }

  clear(): void {
    this.#failures = 0
  }
}
