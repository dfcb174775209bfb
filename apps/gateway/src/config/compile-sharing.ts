import type { GatewayConfig } from './schema/gateway.ts'
import type { CoalesceSettings, RouteCacheSettings, RouteSettings } from './settings.ts'

type RouteConfig = GatewayConfig['routes'][number]

/** What a route's requests share with others: answers that are kept, and calls that are under way. */
export function compileSharing(
  route: RouteConfig,
): Pick<RouteSettings, 'cache' | 'coalesce' | 'idempotency' | 'hitCost'> {
  const cache = compileCache(route.cache)
  return {
    cache,
    coalesce: compileCoalesce(route.coalesce, cache),
    idempotency: route.idempotency,
    hitCost: typeof route.cache === 'object' ? route.cache.hitCost : 0,
  }
}

function compileCache(cache: RouteConfig['cache']): RouteCacheSettings | undefined {
  if (cache === undefined) return undefined
  const {
    ttl,
    stale = 0,
    staleOnError = stale,
    scope = 'key',
    vary = [],
    methods,
  } = typeof cache === 'number' ? briefly(cache) : cache
  return {
    ...{ ttl, stale, scope },
    staleOnError: Math.max(stale, staleOnError),
    vary: [...new Set(vary.map((name) => name.toLowerCase()))].sort(),
    methods: methods ?? ['GET'],
  }
}

type Kept = Exclude<RouteConfig['cache'], number | undefined>

function briefly(ttl: number): Pick<Kept, 'ttl'> & Partial<Kept> {
  return { ttl }
}

/** A cached route coalesces by itself, others only when asked: sampling in parallel is legitimate. */
function compileCoalesce(
  coalesce: RouteConfig['coalesce'],
  cache: RouteCacheSettings | undefined,
): CoalesceSettings | undefined {
  const { scope = 'key' } = cache ?? {}
  if (coalesce === undefined) return cache && { scope, cluster: false }
  if (coalesce === false) return undefined
  if (typeof coalesce !== 'object') return { scope, cluster: coalesce === 'cluster' }
  return { scope: cache?.scope ?? coalesce.scope ?? 'key', cluster: coalesce.cluster }
}
