import { checkNumber } from './options.ts'

/** Bounds hedges by the calls that they belong to: a service that is slow as a whole isn't helped by them. */
export interface HedgeBudget {
  /** Tells of a call: it pays for `ratio` hedges. */
  onCall(): void
  /** Takes one hedge out of the budget; `false` when there is none. */
  tryHedge(): boolean
}

/** How much {@link createHedgeBudget} allows. */
export interface HedgeBudgetOptions {
  /** Hedges for each call, at most 1000. Default: 0.05. */
  readonly ratio?: number | undefined
}

/** So many hedges may be saved up: they can come at once when a quiet service turns slow. */
const MAX_SAVED = 10

/** Sums of fractions such as 0.1 may end a little below the whole number that is meant. */
const ROUNDING = 1e-9

/**
 * Allows at most `ratio` hedges for each call, counted since the budget was made. Shared by all who
 * call one upstream. It begins with none: the first call that may be hedged is number 1 / `ratio`.
 *
 * @throws RangeError when `ratio` is out of range.
 */
export function createHedgeBudget({ ratio = 0.05 }: HedgeBudgetOptions = {}): HedgeBudget {
  checkNumber('ratio', ratio, 0, 1000)
  const most = Math.max(MAX_SAVED, ratio)
  let saved = 0
  return {
    onCall() {
      saved = Math.min(most, saved + ratio)
    },
    tryHedge() {
      if (saved < 1 - ROUNDING) return false
      saved -= 1
      return true
    },
  }
}
