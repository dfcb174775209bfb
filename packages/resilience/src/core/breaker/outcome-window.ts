/** Why outcomes opened a circuit. */
export type OutcomeReason = 'consecutive_failures' | 'failure_rate' | 'slow_rate'

/** How many calls are looked at, and how they ended. */
export interface OutcomeCounts {
  readonly calls: number
  readonly failures: number
  /** Calls that took longer than `slowMs`, failed or not. */
  readonly slow: number
}

/** The recent outcomes by which a breaker decides. Instants never go back. */
export interface OutcomeWindow {
  /** Adds the outcome of a call and says whether, and why, that is one too many. */
  record(failed: boolean, slow: boolean, now: number): OutcomeReason | undefined
  counts(now: number): OutcomeCounts
  clear(): void
}

/** From which shares on a circuit opens, each of them above 0 and at most 1. */
export interface RateLimits {
  readonly failureRate: number
  readonly slowRate: number | undefined
  /** Fewer calls than this say nothing. */
  readonly minimum: number
}

/** Judges what a window holds. */
export function exceededRate(counts: OutcomeCounts, limits: RateLimits): OutcomeReason | undefined {
  const { calls, failures, slow } = counts
  if (calls < limits.minimum) return undefined
  // Divided, not multiplied: 7 / 100 is 0.07 exactly as written, 0.07 * 100 is a little above 7.
  if (failures / calls >= limits.failureRate) return 'failure_rate'
  if (limits.slowRate !== undefined && slow / calls >= limits.slowRate) return 'slow_rate'
  return undefined
}
