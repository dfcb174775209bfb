import type { OutcomeCounts, OutcomeReason, OutcomeWindow, RateLimits } from './outcome-window.ts'
import { exceededRate } from './outcome-window.ts'

/** The window moves on by a twentieth of its length at a time. */
const BUCKETS = 20

/**
 * Counts the outcomes of the last `windowMs`. One is forgotten when it is between 95 and 100 % of that
 * old, by the clock: also when nothing has happened since.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #limits: RateLimits
  readonly #bucketMs: number
  readonly #bucketCalls = new Uint32Array(BUCKETS)
  readonly #bucketFailures = new Uint32Array(BUCKETS)
  readonly #bucketSlow = new Uint32Array(BUCKETS)
  /** Counts the buckets since the clock's zero; the current one lies at `#index`. */
  #tick = Number.NEGATIVE_INFINITY
  #index = 0
  #calls = 0
  #failures = 0
  #slow = 0

  constructor(windowMs: number, limits: RateLimits) {
    this.#limits = limits
    this.#bucketMs = windowMs / BUCKETS
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

  record(failed: boolean, slow: boolean, now: number): OutcomeReason | undefined {
    this.#moveTo(now)
    increment(this.#bucketCalls, this.#index)
    this.#calls += 1
    if (failed) {
      increment(this.#bucketFailures, this.#index)
      this.#failures += 1
    }
    if (slow) {
      increment(this.#bucketSlow, this.#index)
      this.#slow += 1
    }
    return exceededRate(this, this.#limits)
  }

  counts(now: number): OutcomeCounts {
    this.#moveTo(now)
    return { calls: this.#calls, failures: this.#failures, slow: this.#slow }
  }

  clear(): void {
    this.#tick = Number.NEGATIVE_INFINITY
  }

  #moveTo(now: number): void {
    const tick = Math.floor(now / this.#bucketMs)
    for (let steps = Math.min(tick - this.#tick, BUCKETS); steps > 0; steps--) this.#advance()
    if (tick > this.#tick) this.#tick = tick
  }

  /** Takes the oldest bucket for the current one. */
  #advance(): void {
    this.#index = (this.#index + 1) % BUCKETS
    this.#calls -= empty(this.#bucketCalls, this.#index)
    this.#failures -= empty(this.#bucketFailures, this.#index)
    this.#slow -= empty(this.#bucketSlow, this.#index)
  }
}

function increment(counts: Uint32Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1
}

function empty(counts: Uint32Array, index: number): number {
  const count = counts[index] ?? 0
  counts[index] = 0
  return count
}
