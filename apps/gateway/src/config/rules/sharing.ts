import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { namesRedis } from '../redis-options.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { authOf } from './exposure.ts'

/** What is wrong with answers that are kept or shared. */
export const sharingRules: readonly Rule<GatewayConfig>[] = [
  findNobodys,
  findIdleKeys,
  findTwoScopes,
  findIdleMethods,
  findSecretVary,
  findTooLarge,
  findLonelyClusters,
]

type RouteConfig = GatewayConfig['routes'][number]

// Without a credential nobody could be told from anybody else: nothing would ever be kept or shared.
function findNobodys(config: GatewayConfig): readonly Finding[] {
  return eachKnown(config.routes, (route, index) => {
    if (authOf(config, route) !== 'none' || !isWithoutCredentials(config, route)) return []
    const kept = keptBy(route)
    const shared = route.coalesce
    const caching = kept !== undefined && kept !== 'public'
    const coalescing =
      kept === undefined &&
      shared !== undefined &&
      shared !== false &&
      (typeof shared !== 'object' || shared.scope !== 'public')
    if (!caching && !coalescing) return []
    const key = caching ? 'cache' : 'coalesce'
    const message =
      `nobody is asked here who they are, so no answer could be told to be somebody's; ` +
      `write scope: public under ${key} if everybody may have the same, or set auth: required`
    return [{ path: ['routes', index, key], message }]
  })
}

// The Idempotency-Key of a caller whom nobody can tell from another is left to the upstream.
function findIdleKeys(config: GatewayConfig): readonly Finding[] {
  return eachKnown(config.routes, (route, index) => {
    if (route.idempotency === undefined || authOf(config, route) !== 'none') return []
    if (!isWithoutCredentials(config, route)) return []
    const message =
      'nobody is asked here who they are, so no Idempotency-Key could be told to be somebody’s and all are ' +
      'left to the upstream; set auth: required'
    return [{ path: ['routes', index, 'idempotency'], severity: 'warning', message }]
  })
}

function keptBy({ cache }: RouteConfig): 'key' | 'user' | 'public' | undefined {
  return typeof cache === 'object' ? cache.scope : cache === undefined ? undefined : 'key'
}

/** Whether each upstream gets a credential of the gateway's, whatever the client sends. */
function isWithoutCredentials({ upstreams }: GatewayConfig, route: RouteConfig): boolean {
  const found = eachKnown(route.upstreams, (name) => {
    const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
    if (upstream === undefined) return [false]
    const all = eachKnown(upstream.endpoints, ({ apiKey }) => [apiKey !== undefined])
    return [upstream.protocol !== 'http' && all.every(Boolean)]
  })
  return found.length > 0 && found.every(Boolean)
}

function findTwoScopes({ routes }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ cache, coalesce }, index) => {
    if (cache === undefined || typeof coalesce !== 'object') return []
    if (coalesce.scope === undefined) return []
    const message = 'cache.scope says it for both; leave it out here'
    return [{ path: ['routes', index, 'coalesce', 'scope'], message }]
  })
}

function findIdleMethods({ routes, upstreams }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ cache, upstreams: names }, index) => {
    if (typeof cache !== 'object' || cache.methods === undefined) return []
    const protocols = eachKnown(names, (name) =>
      Object.hasOwn(upstreams, name) ? [upstreams[name]?.protocol] : [],
    )
    if (protocols.length === 0 || protocols.includes('http')) return []
    const message =
      'on AI protocols it is known which requests can be answered from a cache; leave it out'
    return [{ path: ['routes', index, 'cache', 'methods'], message }]
  })
}

const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'cookie', 'x-admin-key']

function findSecretVary({ routes }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ cache }, index) => {
    if (typeof cache !== 'object') return []
    return eachKnown(cache.vary, (name, at) => {
      if (!CREDENTIALS.includes(name.toLowerCase())) return []
      const message = 'what a client identifies itself by always makes another answer; remove it'
      return [{ path: ['routes', index, 'cache', 'vary', at], message }]
    })
  })
}

function findTooLarge({ cache }: GatewayConfig): readonly Finding[] {
  if (cache.maxAnswer <= cache.memory) return []
  const message = 'an answer of this size has no room in cache.memory; raise that or lower this'
  return [{ path: ['cache', 'maxAnswer'], message }]
}

function findLonelyClusters({ routes, redis }: GatewayConfig): readonly Finding[] {
  if (namesRedis(redis)) return []
  return eachKnown(routes, ({ coalesce }, index) => {
    const asked = typeof coalesce === 'object' ? coalesce.cluster : coalesce === 'cluster'
    if (!asked) return []
    const message = 'without Redis each gateway shares its own calls only; set redis.url'
    return [{ path: ['routes', index, 'coalesce'], severity: 'warning', message }]
  })
}
