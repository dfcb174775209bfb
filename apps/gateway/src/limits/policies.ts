import type { Rule } from '@tidegate/rate-limit'
import type { LimitSettings, TierSettings } from '../config/settings.ts'

/** What the policies of a tier are called, in the limiter, in headers and in Redis. */
export interface TierPolicies {
  readonly requests: string | undefined
  readonly tokens: { readonly name: string; readonly capacity: number } | undefined
  readonly concurrent: string | undefined
}

/** The names of a tier's policies. Limits have no dot in theirs, so that none is another. */
export function tierPolicies({ name, requests, tokens, concurrent }: TierSettings): TierPolicies {
  return {
    requests: requests && `${name}.requests`,
    tokens: tokens && { name: `${name}.tokens`, capacity: capacityOf(tokens) },
    concurrent: concurrent && `${name}.concurrent`,
  }
}

function capacityOf(rule: Rule): number {
  // A shadow never refuses for good.
  if (rule.shadow) return Number.POSITIVE_INFINITY
  return 'burst' in rule ? rule.burst : rule.limit
}

/** All policies by their names: what the one limiter of a gateway is made of. */
export function policiesOf(
  limits: readonly LimitSettings[],
  tiers: readonly TierSettings[],
): Readonly<Record<string, Rule>> {
  return Object.fromEntries([
    ...limits.map(({ name, rule }) => [name, rule] as const),
    ...tiers.flatMap((tier) => {
      const { requests, tokens, concurrent } = tierPolicies(tier)
      return [
        ...named(requests, tier.requests),
        ...named(tokens?.name, tier.tokens),
        ...named(concurrent, tier.concurrent),
      ]
    }),
  ])
}

function named(
  name: string | undefined,
  rule: Rule | undefined,
): readonly (readonly [string, Rule])[] {
  return name === undefined || rule === undefined ? [] : [[name, rule]]
}
