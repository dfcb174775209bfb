import type { Finding } from '@tidegate/config'
import { covers, findPrefixFault, parseMatch } from '../route-match.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { suggest } from '../suggest.ts'

/** What is wrong between routes and upstreams. */
export function checkRoutes(config: GatewayConfig): readonly Finding[] {
  return [
    ...config.routes.flatMap((_, index) => checkUpstreams(config, index)),
    ...config.routes.flatMap((route, index) => checkPrefix(route, index)),
    ...config.routes.flatMap((_, index) => findShadow(config.routes, index)),
    ...Object.entries(config.upstreams).flatMap(([name, { endpoints }]) =>
      endpoints.length > 1 ? [severalEndpoints(name)] : [],
    ),
    ...findUnused(config),
  ]
}

type Route = GatewayConfig['routes'][number]

function checkUpstreams(config: GatewayConfig, index: number): readonly Finding[] {
  const names = config.routes[index]?.upstreams ?? []
  const known = Object.keys(config.upstreams)
  const unknown = names.filter((name) => !Object.hasOwn(config.upstreams, name))
  const path = ['routes', index, 'upstreams'] as const
  if (unknown.length > 0) {
    return unknown.map((name) => {
      const suggestion = suggest(name, known)
      const message = `there is no upstream ${JSON.stringify(name)}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
      return {
        path: [...path, names.indexOf(name)],
        message,
        ...(suggestion !== undefined && { suggestion }),
      }
    })
  }
  if (names.length < 2) return []
  const protocols = new Set(names.map((name) => config.upstreams[name]?.protocol))
  if (protocols.size > 1) {
    const message = `a route's upstreams must speak one protocol, and these speak ${[...protocols].join(' and ')}`
    return [{ path, message }]
  }
  const message = 'failing over to a second upstream is not built yet; name one'
  return [{ path, code: 'not_built_yet', message }]
}

function severalEndpoints(name: string): Finding {
  const message = 'balancing over several endpoints is not built yet; keep one'
  return { path: ['upstreams', name, 'endpoints'], code: 'not_built_yet', message }
}

function checkPrefix({ match, stripPrefix }: Route, index: number): readonly Finding[] {
  const parsed = parseMatch(match).match
  if (stripPrefix === undefined || parsed === undefined) return []
  const message = findPrefixFault(stripPrefix, parsed)
  return message === undefined ? [] : [{ path: ['routes', index, 'stripPrefix'], message }]
}

function findShadow(routes: readonly Route[], index: number): readonly Finding[] {
  const own = matchAt(routes, index)
  const earlier = routes.findIndex((_, other) => {
    const broader = other < index ? matchAt(routes, other) : undefined
    return broader !== undefined && own !== undefined && covers(broader, own)
  })
  if (earlier === -1) return []
  const broader = routes[earlier]?.match
  const message = `nothing reaches this route, as routes[${earlier}] (${broader}) comes first and takes all of it; move it up or remove it`
  return [{ path: ['routes', index, 'match'], severity: 'warning', message }]
}

function matchAt(routes: readonly Route[], index: number): ReturnType<typeof parseMatch>['match'] {
  return parseMatch(routes[index]?.match ?? '').match
}

function findUnused({ upstreams, routes }: GatewayConfig): readonly Finding[] {
  const used = new Set(routes.flatMap((route) => route.upstreams))
  return Object.keys(upstreams)
    .filter((name) => !used.has(name))
    .map((name) => ({
      path: ['upstreams', name],
      severity: 'warning',
      message: 'no route uses this upstream',
    }))
}
