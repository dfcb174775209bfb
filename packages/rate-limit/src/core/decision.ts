import type { Rule } from './rules.ts'
import type { Limit, Verdict } from './store.ts'

/** What one policy says. A denial is a value like any other. */
export interface Decision<Name extends string = string> {
  /** Whether it may go on. Of a shadow policy: whether it could, if the policy were real. */
  readonly allowed: boolean
  /** The policy that says so. */
  readonly policy: Name
  /** The policy's `limit`. */
  readonly limit: number
  /** How much still fits now, from 0; up to `burst` for a bucket. */
  readonly remaining: number
  /** Whole milliseconds until the same is allowed if nothing else happens: 0 when it is, `Infinity` never. */
  readonly retryAfterMs: number
  /** Whole milliseconds until the policy is as new. */
  readonly resetMs: number
  /** Who answered: the store's kind, such as `memory`. */
  readonly source: string
  /** Whether the policy only reports. */
  readonly shadow: boolean
  /** The policy's own terms. */
  readonly rule: Rule
}

/**
 * What several policies say together. Itself it is the decision that counts: of those that deny, the one
 * to wait for longest; when all allow, the one with the smallest part of its limit left. A shadow policy
 * counts only when there is no other, and then it is `allowed` all the same.
 */
export interface Outcome<Name extends string = string> extends Decision<Name> {
  /** What each says, in the order asked, shadow policies as they are. */
  readonly decisions: readonly Decision<Name>[]
}

export function decisionOf<Name extends string>(
  limit: Limit & { readonly policy: Name },
  verdict: Verdict | undefined,
): Decision<Name> {
  if (verdict === undefined) throw new TypeError('The store gave too few verdicts.')
  const { allowed, remaining, retryAfterMs, resetMs, source } = verdict
  const { policy, rule } = limit
  const { limit: most, shadow } = rule
  return { allowed, policy, limit: most, remaining, retryAfterMs, resetMs, source, shadow, rule }
}

export function outcomeOf<Name extends string>(
  decisions: readonly Decision<Name>[],
): Outcome<Name> {
  const decisive = decisiveOf(decisions, isReal)
  if (decisive !== undefined) return { ...decisive, decisions }
  const [tightest] = decisions.toSorted((a, b) => left(a) - left(b))
  if (tightest === undefined) throw new TypeError('The store gave no verdict.')
  return { ...tightest, allowed: true, retryAfterMs: 0, decisions }
}

/**
 * Of those that deny, the one to wait for longest; of none, the one with the smallest part left.
 *
 * @param counts which of the decisions are looked at; default all.
 */
export function decisiveOf<Name extends string>(
  decisions: readonly Decision<Name>[],
  counts?: (decision: Decision<Name>) => boolean,
): Decision<Name> | undefined {
  let decisive: Decision<Name> | undefined
  for (const decision of decisions) {
    if (counts !== undefined && !counts(decision)) continue
    if (decisive === undefined || outweighs(decision, decisive)) decisive = decision
  }
  return decisive
}

function isReal({ shadow }: Decision): boolean {
  return !shadow
}

function outweighs(one: Decision, other: Decision): boolean {
  if (one.allowed !== other.allowed) return other.allowed
  return one.allowed ? left(one) < left(other) : one.retryAfterMs > other.retryAfterMs
}

function left({ remaining, limit }: Decision): number {
  return remaining / limit
}
