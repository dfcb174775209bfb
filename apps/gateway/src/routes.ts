import type { RouteSettings } from './config/settings.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** A route with its upstreams: what its handlers are built from, once, at start. */
export interface Route extends Omit<RouteSettings, 'upstreams'> {
  /** In order of failover; at least one. */
  readonly upstreams: readonly Upstream[]
  /** The first of them: it says how long a request may take and in which form errors are told. */
  readonly primary: Upstream
  /** A body up to this size can be sent more than once. */
  readonly replayBytes: number
}

export function connectRoutes(
  routes: readonly RouteSettings[],
  upstreams: ReadonlyMap<string, Upstream>,
): Route[] {
  return routes.map((route) => {
    const known = route.upstreams.flatMap((name) => upstreams.get(name) ?? [])
    const [primary] = known
    if (primary === undefined) throw new Error(`Route ${route.match} names no known upstream.`)
    const replayBytes = Math.max(...known.map(({ retry }) => retry.bodyLimit))
    return { ...route, upstreams: known, primary, replayBytes }
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
