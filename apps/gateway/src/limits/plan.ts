import type { PolicyRequest } from '@tidegate/rate-limit'
import { ipGroup } from '@tidegate/server'
import type { Identity } from '../auth/identity.ts'
import { DEFAULT_TIER, TIER } from '../config/rules/limits.ts'
import type { LimitSettings, TierSettings } from '../config/settings.ts'
import { type TierPolicies, tierPolicies } from './policies.ts'

/** All that is asked about one subject. */
export interface Ask {
  readonly subject: string
  readonly requests: readonly PolicyRequest[]
}

/** What a caller's requests on a route are held against. */
export interface Quota {
  readonly ip: readonly string[]
  readonly key: readonly string[]
  readonly user: readonly string[]
  readonly tokens: TierPolicies['tokens']
  /** Whether a slot is taken, or tokens are held: something to be given back. */
  readonly holds: boolean
  /** The one policy that is asked, where there is no more to it and it is meant to deny. */
  readonly alone: string | undefined
}

/**
 * What a route's limits mean for a caller, worked out once per tier. `undefined`: nothing limits them.
 */
export class LimitPlan {
  readonly #byTier: ReadonlyMap<string, Quota | undefined>
  readonly #untiered: Quota | undefined

  constructor(
    names: readonly string[],
    limits: readonly LimitSettings[],
    tiers: readonly TierSettings[],
  ) {
    const named = names.flatMap((name) => limits.find((each) => each.name === name) ?? [])
    const asked = names.includes(TIER) ? tiers : []
    this.#byTier = new Map(asked.map((tier) => [tier.name, quotaOf(named, tier)]))
    const isKnown = this.#byTier.has(DEFAULT_TIER)
    this.#untiered = isKnown ? this.#byTier.get(DEFAULT_TIER) : quotaOf(named, undefined)
  }

  /** A tier that isn't configured, as a token may name one, counts as none. */
  quotaFor({ tier }: Identity): Quota | undefined {
    if (tier === undefined || !this.#byTier.has(tier)) return this.#untiered
    return this.#byTier.get(tier)
  }

  /** Whether any caller is limited here. */
  get isEmpty(): boolean {
    return this.#untiered === undefined && this.#byTier.size === 0
  }
}

function quotaOf(
  limits: readonly LimitSettings[],
  terms: TierSettings | undefined,
): Quota | undefined {
  const tier = terms && tierPolicies(terms)
  const by = (who: LimitSettings['by']): string[] =>
    limits.filter((limit) => limit.by === who).map(({ name }) => name)
  // What a tier allows, it allows a user, whichever of the user's keys or tokens are sent.
  const user = [...by('user'), ...[tier?.requests ?? [], tier?.concurrent ?? []].flat()]
  const quota = { ip: by('ip'), key: by('key'), user }
  const tokens = tier?.tokens
  const names = Object.values(quota).flat()
  if (names.length === 0 && tokens === undefined) return undefined
  const holds = tier?.concurrent !== undefined || tokens !== undefined
  const shadow = terms?.requests?.shadow ?? limits[0]?.rule.shadow ?? false
  const alone = names.length === 1 && !holds && !shadow ? names[0] : undefined
  return { ...quota, tokens, holds, alone }
}

/**
 * Who is asked for what: the address first, whose flood then never reaches the caller's own limits.
 * Whoever has no key or user is counted by the next thing known, in the end by address.
 *
 * @param tokens how many to hold, where the caller's tokens are limited and the request uses some.
 */
export function asksOf(
  quota: Quota,
  identity: Identity,
  clientIp: string,
  tokens?: number,
): readonly Ask[] {
  const ip = `ip:${ipGroup(clientIp)}`
  const { kind, id, user } = identity
  const key = kind === 'anonymous' ? ip : `${kind}:${id}`
  const person = user === undefined ? key : `user:${user}`
  const asks: { subject: string; requests: readonly PolicyRequest[] }[] = []
  add(asks, ip, quota.ip)
  add(asks, key, quota.key)
  add(asks, person, quota.user)
  if (tokens !== undefined && quota.tokens !== undefined) {
    add(asks, person, [{ policy: quota.tokens.name, cost: tokens }])
  }
  return asks
}

function add(
  asks: { subject: string; requests: readonly PolicyRequest[] }[],
  subject: string,
  requests: readonly PolicyRequest[],
): void {
  if (requests.length === 0) return
  const known = asks.find((ask) => ask.subject === subject)
  if (known === undefined) asks.push({ subject, requests })
  else known.requests = [...known.requests, ...requests]
}
