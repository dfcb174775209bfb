import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { ruleOf, rulesOf } from '../limit-rules.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { suggest } from '../suggest.ts'
import { authOf } from './exposure.ts'
import { repeated } from './repeated.ts'

/** On a route, the limits of the caller's tier. */
export const TIER = 'tier'

/** The tier of callers who have none. */
export const DEFAULT_TIER = 'default'

/** What is wrong with limits and tiers, and where routes use them. */
export const limitRules: readonly Rule<GatewayConfig>[] = [
  findTakenNames,
  findUncountable,
  findUncountableTiers,
  findIdleBursts,
  findIdlePrecision,
  findUnknown,
  findRepeated,
  findUnused,
  findUntold,
  findUnlimitedKeys,
]

/** The gateway's own: the tier's on a route, and the guard in front of all of them. */
const TAKEN = [TIER, 'guard']

function findTakenNames({ limits }: GatewayConfig): readonly Finding[] {
  return TAKEN.filter((name) => Object.hasOwn(limits, name)).map((name) => ({
    path: ['limits', name],
    message: 'this name is taken by the gateway itself; rename it',
    suggestion: `${name}-1`,
  }))
}

/** `ask` about each limit that is there; paths begin below it. */
function eachLimit(
  { limits }: GatewayConfig,
  ask: (limit: GatewayConfig['limits'][string]) => readonly Finding[],
): readonly Finding[] {
  return eachKnown(Object.keys(limits), (name) => {
    const limit = limits[name]
    const found = limit === undefined ? [] : ask(limit)
    return found.map((finding) => ({ ...finding, path: ['limits', name, ...finding.path] }))
  })
}

function findUncountable(config: GatewayConfig): readonly Finding[] {
  return eachLimit(config, (limit) => {
    if (isNoOvershoot(limit.precision)) {
      const message = 'expected more than 0%; for no overshoot write precision: leased'
      return [{ path: ['precision', 'maxOvershoot'], message }]
    }
    const message = faultOf(() => ruleOf(limit))
    return message === undefined ? [] : [{ path: ['rate'], message }]
  })
}

function isNoOvershoot(precision: GatewayConfig['limits'][string]['precision']): boolean {
  return typeof precision === 'object' && precision.maxOvershoot === 0
}

function findUncountableTiers({ tiers }: GatewayConfig): readonly Finding[] {
  return eachKnown(Object.keys(tiers), (name) => {
    const tier = tiers[name]
    const message = tier && faultOf(() => rulesOf(tier))
    return message === undefined ? [] : [{ path: ['tiers', name], message }]
  })
}

// The limiter is asked itself, so that what passes here never fails at start.
function faultOf(make: () => unknown): string | undefined {
  try {
    make()
    return undefined
  } catch (error) {
    // What can't be read has no value yet: whoever asked has to hear of it.
    if (!(error instanceof Error && 'code' in error && error.code === 'invalid_limit')) throw error
    return error.message.replace(/\.$/, '')
  }
}

function findIdleBursts(config: GatewayConfig): readonly Finding[] {
  const limits = eachLimit(config, ({ algorithm, burst }) => {
    if (burst === undefined || algorithm === 'token-bucket') return []
    const message = `has no meaning with ${algorithm}, where all of the window may be used at once; remove it, or use token-bucket`
    return [{ path: ['burst'], message }]
  })
  const tiers = eachKnown(Object.keys(config.tiers), (name) => {
    const tier = config.tiers[name]
    if (tier?.burst === undefined || tier.requests !== undefined) return []
    return [
      { path: ['tiers', name, 'burst'], message: 'has no meaning without requests; add them' },
    ]
  })
  return [...limits, ...tiers]
}

function findIdlePrecision(config: GatewayConfig): readonly Finding[] {
  return eachLimit(config, ({ algorithm, precision }) => {
    if (precision === 'exact' || algorithm === 'token-bucket') return []
    if (algorithm === 'fixed-window' && precision === 'leased') return []
    const found = precision === 'leased' ? precision : 'maxOvershoot'
    return [{ path: ['precision'], message: `there is no ${found} for ${algorithm}; use exact` }]
  })
}

function findUnknown({ routes, limits, tiers }: GatewayConfig): readonly Finding[] {
  const known = [...new Set([...Object.keys(limits), TIER])]
  return eachKnown(routes, (route, index) =>
    eachKnown(route.limits, (name, at) => {
      const path = ['routes', index, 'limits', at]
      if (name === TIER) {
        if (Object.keys(tiers).length > 0) return []
        return [{ path, message: 'there are no tiers; add some under tiers, or remove it' }]
      }
      if (Object.hasOwn(limits, name)) return []
      const suggestion = suggest(name, known)
      const message = `there is no limit ${JSON.stringify(name)}; there is ${known.join(', ')}`
      return [{ path, message, ...(suggestion !== undefined && { suggestion }) }]
    }),
  )
}

function findRepeated({ routes }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ limits }, index) =>
    repeated(limits, (name) => name).map(({ key, index: at }) => ({
      path: ['routes', index, 'limits', at],
      message: `${JSON.stringify(key)} is on this route already; remove it here`,
    })),
  )
}

function findUnused({ limits, tiers, routes }: GatewayConfig): readonly Finding[] {
  const used = new Set(routes.flatMap((route) => route.limits))
  const idle = Object.keys(limits).filter((name) => !used.has(name))
  const message = 'no route uses this limit; name it under limits of a route'
  const findings: Finding[] = idle.map((name) => ({
    path: ['limits', name],
    severity: 'warning',
    message,
  }))
  if (Object.keys(tiers).length === 0 || used.has(TIER)) return findings
  const untiered = 'no route asks for the limits of tiers; add "tier" to limits of a route'
  return [...findings, { path: ['tiers'], severity: 'warning', message: untiered }]
}

function findUntold(config: GatewayConfig): readonly Finding[] {
  return eachKnown(config.routes, (route, index) => {
    if (authOf(config, route) !== 'none') return []
    return eachKnown(route.limits, (name, at) => {
      const limit = Object.hasOwn(config.limits, name) ? config.limits[name] : undefined
      if (limit === undefined || limit.by === 'ip') return []
      const message = `nobody says on this route who they are, so ${JSON.stringify(name)} is counted by address; write by: ip, or set auth`
      return [{ path: ['routes', index, 'limits', at], severity: 'warning', message }]
    })
  })
}

function findUnlimitedKeys({ auth, tiers, routes }: GatewayConfig): readonly Finding[] {
  if (Object.hasOwn(tiers, DEFAULT_TIER)) return []
  if (!routes.some((route) => route.limits.includes(TIER))) return []
  return eachKnown(auth.keys, ({ tier }, index) => {
    if (tier !== undefined) return []
    const message = `has no tier, and as there is no tier ${JSON.stringify(DEFAULT_TIER)} none limits it; give it one`
    return [{ path: ['auth', 'keys', index], severity: 'warning', message }]
  })
}
