import { checkNumber, MAX_TIMER_MS } from './options.ts'

/** Bounds retries by the calls that they belong to, so that an outage isn't multiplied by them. */
export interface RetryBudget {
  /** Tells of a call, not of its retries: each pays for `ratio` retries until the window has passed. */
  onCall(): void
  /** Takes one retry out of the budget; `false` when there is none. */
  tryRetry(): boolean
  /** How many retries there are now. */
  readonly balance: number
}

/** How much {@link createRetryBudget} allows. */
export interface RetryBudgetOptions {
  /** Retries for each call. Default: 0.2. */
  readonly ratio?: number | undefined
  /** Retries per second that are there without any call; those of a whole window may come at once. Default: 10. */
  readonly perSecond?: number | undefined
  /** Milliseconds after which a call, or a retry, no longer counts. Default: 10,000. */
  readonly windowMs?: number | undefined
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** The window moves by slices of this part of it. */
const SLICES = 50

/**
 * Allows, in any window that ends with a retry, at most `ratio` retries for each call in it and
 * `perSecond` for each of its seconds. Shared by all who call one upstream. After Finagle's RetryBudget.
 *
 * @throws RangeError when an option is out of range.
 */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  return new SlicedRetryBudget(options)
}

class SlicedRetryBudget implements RetryBudget {
  readonly #ratio: number
  readonly #reserve: number
  readonly #sliceMs: number
  readonly #now: () => number
  // A ring with one slice more than the window has: calls count for a little less than the window,
  // retries for a little more, so that the bound holds in spite of the slices.
  readonly #calls = new Array<number>(SLICES + 1).fill(0)
  readonly #retries = new Array<number>(SLICES + 1).fill(0)
  #slice: number
  #callSum = 0
  #retrySum = 0

  constructor({ ratio = 0.2, perSecond = 10, windowMs = 10_000, now }: RetryBudgetOptions) {
    this.#ratio = checkNumber('ratio', ratio, 0, 1_000)
    this.#sliceMs = checkNumber('windowMs', windowMs, 1, MAX_TIMER_MS) / SLICES
    this.#reserve = (checkNumber('perSecond', perSecond, 0, 1e9) * windowMs) / 1_000
    this.#now = now ?? (() => performance.now())
    this.#slice = this.#currentSlice()
  }

  onCall(): void {
    const slot = this.#advance()
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1
    this.#callSum += 1
  }

  tryRetry(): boolean {
    const slot = this.#advance()
    if (this.#available() < 1) return false
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1
    this.#retrySum += 1
    return true
  }

  get balance(): number {
    this.#advance()
    return Math.max(0, Math.floor(this.#available()))
  }

  #available(): number {
    return this.#callSum * this.#ratio + this.#reserve - this.#retrySum
  }

  #currentSlice(): number {
    return Math.floor(this.#now() / this.#sliceMs)
  }

  /** Lets go of what the window has left behind, and returns the place of the current slice. */
  #advance(): number {
    const current = this.#currentSlice()
    const first = Math.max(this.#slice, current - SLICES - 1)
    for (let slice = first + 1; slice <= current; slice++) {
      const reused = slice % (SLICES + 1)
      const leaving = (slice + 1) % (SLICES + 1)
      this.#retrySum -= this.#retries[reused] ?? 0
      this.#retries[reused] = 0
      this.#callSum -= this.#calls[leaving] ?? 0
      this.#calls[leaving] = 0
    }
    this.#slice = Math.max(this.#slice, current)
    return this.#slice % (SLICES + 1)
  }
}
