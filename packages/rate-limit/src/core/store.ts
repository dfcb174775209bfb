import type { Rule } from './rules.ts'

/** A policy as stores know it. The same object comes with every request, so it may be a map's key. */
export interface Limit {
  /** The policy's name: lower-case letters, digits, `-`, `_` and `.`, never a user's text. */
  readonly policy: string
  readonly rule: Rule
}

/**
 * What is asked of one policy:
 *
 * - `take` and `peek`: `amount` is the cost. A `take` with an `id` holds a slot or a reservation; one that
 *   `id` holds already is renewed and takes nothing.
 * - `penalty`: takes `amount`, whether it fits or not. `block`: denies for `amount` milliseconds.
 *   `reset`: forgets everything.
 * - `renew`, `release`: the slot or reservation of `id`; a released reservation stays charged.
 * - `settle`: of the reservation of `id`, made for `estimate`, `amount` was used.
 * - `refund`: a `take` of `amount` that was charged, as its verdict's `stamp` says, never took place. What
 *   comes back is never more than what that take still keeps others from: a rate gives back the amount
 *   less all that drained since, a window only what still counts. Slots and reservations are for `release`
 *   and `settle`.
 */
export interface StoreRequest {
  readonly limit: Limit
  readonly action: StoreAction
  readonly amount: number
  /** Who holds, for `renew`, `release` and `settle`, and for a `take` that holds. */
  readonly id?: string | undefined
  /** What was reserved, for `settle`: what was used beyond it is charged even if the reservation is gone. */
  readonly estimate?: number | undefined
  /** When it was taken, for `refund`: the `stamp` of the take's verdict. */
  readonly stamp?: number | undefined
}

/** See {@link StoreRequest}. */
export type StoreAction =
  | 'take'
  | 'peek'
  | 'penalty'
  | 'block'
  | 'reset'
  | 'renew'
  | 'release'
  | 'settle'
  | 'refund'

/** The `stamp` of what took nothing. */
export const NOTHING_TAKEN = -1

/** What a store answers to one request. */
export interface Verdict {
  /**
   * Whether the policy alone allows it: the cost of a `take` or `peek`, a cost of 1 after anything else.
   * Shadow rules are told as they are.
   */
  readonly allowed: boolean
  /**
   * Whether the request had an effect: a `take` was charged, a `renew` or `settle` found what `id` holds, a
   * `refund` gave something back.
   */
  readonly applied: boolean
  /** How much fits now, from 0. */
  readonly remaining: number
  /** Whole milliseconds until it is allowed if nothing else happens: 0 now, `Infinity` never. */
  readonly retryAfterMs: number
  /** Whole milliseconds until the policy is as new for this subject. */
  readonly resetMs: number
  /** Where the answer comes from: the store's kind, such as `memory`. */
  readonly source: string
  /**
   * When a `take` was charged, by the store's own count: a whole number that means nothing to others, to
   * come back with a `refund`, above -2^52. -1: nothing was taken, also because `id` held it already.
   */
  readonly stamp: number
}

/**
 * Where limits are kept. Anyone may write one: `storeConformance` of `@tidegate/rate-limit/testing` says
 * whether it is right.
 *
 * One call decides everything that is asked about one subject, as one step that no other call comes
 * between. If any `take` of a rule that isn't a shadow doesn't fit, no `take` of the call is charged;
 * otherwise each that fits is. Other actions are carried out in any case, in order.
 *
 * A store that several processes share reads its own clock and ignores `now`; its times are whole
 * milliseconds, its state whole numbers. It keeps one key per subject and policy, named by `limiterKey`,
 * which expires when it is as new. What fails is thrown or rejected with; a denial never is.
 */
export interface Store {
  /**
   * @param subject who is limited, as given by the caller: text of any kind and length, not empty.
   * @param requests at least one, each of another policy.
   * @param now the limiter's clock, in whole milliseconds since 1970 (UTC).
   * @returns one verdict per request, in their order.
   */
  decide(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | Promise<readonly Verdict[]>

  /** The same at once, where the store can; `undefined` when this time it can't. Absent: never. */
  decideSync?(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | undefined

  /** How many processes share the store, from 1, as last known: while it is away each has its share. */
  readonly nodes?: number | undefined

  /** Ends what the store keeps going, such as timers. Not its client, which others may use. */
  close?(): Promise<void>
}
