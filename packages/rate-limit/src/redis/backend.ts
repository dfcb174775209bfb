import type { StoreRequest, Verdict } from '../core/store.ts'

/** What is asked about one subject: one step, as in `Store.decide`. */
export interface BackendAsk {
  readonly subject: string
  readonly requests: readonly StoreRequest[]
  /**
   * How many identical callers ask, decided as if one came right after another: the first that is denied
   * ends it, as all that follow would be too. More than 1 only when every request is a `take` without an
   * id; whole, from 1.
   */
  readonly count: number
  /**
   * One per request: how many tokens are wanted as a lease of the quota, beside what is taken; 0 is none.
   * Granted after all of `count` were admitted, from what is left then; verdicts don't count it. Only of
   * rules with quota lease terms, and at most half of what is left.
   */
  readonly wants: readonly number[]
}

/** What was decided about a {@link BackendAsk}. */
export interface BackendAnswer {
  /** How many of `count` were admitted: the first ones. What takes nothing is always admitted. */
  readonly admitted: number
  /**
   * One per request, as after the last admitted caller; when fewer than `count` were admitted, those of
   * the first one that was denied, but for `stamp`, which is that of the admitted ones, if any.
   */
  readonly verdicts: readonly Verdict[]
  /** One per request: what this process may now spend by itself. */
  readonly leased: readonly QuotaGrant[]
}

/** Tokens that are charged already, for one process to spend. */
export interface QuotaGrant {
  /** Whole, from 0, at most what was wanted. */
  readonly amount: number
  /** Milliseconds to spend them in, from when the request was sent; what is left then is lost. */
  readonly ttlMs: number
}

/** Where asks are decided: Redis, or a model of it in tests. */
export interface Backend {
  /**
   * Decides all asks, each as one step, and those about one subject in their order. There is a promise for
   * each, which settles by itself: of a part of a Cluster that is away, only its own subjects learn. Where
   * one rejects, nothing may be assumed to have been charged or not.
   */
  decide(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[]
}

/** The answers to each of the asks, where all of them come together. */
export function answersFrom(
  all: Promise<readonly (BackendAnswer | Promise<BackendAnswer>)[]>,
  asks: readonly BackendAsk[],
): readonly Promise<BackendAnswer>[] {
  return asks.map((_, at) =>
    all.then((answers) => answers[at] ?? Promise.reject(new TypeError('An ask got no answer.'))),
  )
}
