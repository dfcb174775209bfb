import type { RouteSettings } from './config/settings.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** A route with its upstream: what its handlers are built from, once, at start. */
export interface Route extends Omit<RouteSettings, 'upstream'> {
  readonly upstream: Upstream
}

export function connectRoutes(
  routes: readonly RouteSettings[],
  upstreams: ReadonlyMap<string, Upstream>,
): Route[] {
  return routes.map((route) => {
    const upstream = upstreams.get(route.upstream)
    if (upstream === undefined) throw new Error(`Route ${route.match} names no known upstream.`)
    return { ...route, upstream }
  })
}

/**
 * A route's `match` in the router's own syntax. `*` is one segment; `**`, last, any number of them,
 * none included.
 */
export function routerPattern(match: string): string {
  return match
    .split('/')
    .map((segment, index) => {
      if (segment === '**') return '*'
      return segment === '*' ? `:segment${index}` : segment
    })
    .join('/')
}
