import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { covers, findPrefixFault, parseMatch } from '../route-match.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { suggest } from '../suggest.ts'

/** What is wrong between routes and upstreams. */
export const routeRules: readonly Rule<GatewayConfig>[] = [
  findUnknownUpstreams,
  findSecondUpstreams,
  findWrongPrefixes,
  findShadows,
  findSeveralEndpoints,
  findUnused,
]

function findUnknownUpstreams({ routes, upstreams }: GatewayConfig): readonly Finding[] {
  const known = Object.keys(upstreams)
  const list = `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
  return eachKnown(routes, (route, index) =>
    eachKnown(route.upstreams, (name, at) => {
      if (Object.hasOwn(upstreams, name)) return []
      const suggestion = suggest(name, known)
      return [
        {
          path: ['routes', index, 'upstreams', at],
          message: `there is no upstream ${JSON.stringify(name)}; ${list}`,
          ...(suggestion !== undefined && { suggestion }),
        },
      ]
    }),
  )
}

function findSecondUpstreams({ routes, upstreams }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ upstreams: names }, index) => {
    const areThere = names.every((name) => Object.hasOwn(upstreams, name))
    if (names.length < 2 || !areThere) return []
    const path = ['routes', index, 'upstreams']
    const protocols = new Set(names.map((name) => upstreams[name]?.protocol))
    if (protocols.size > 1) {
      const message = `a route's upstreams must speak one protocol, and these speak ${[...protocols].join(' and ')}`
      return [{ path, message }]
    }
    const message = 'failing over to a second upstream is not built yet; name one'
    return [{ path, code: 'not_built_yet', message }]
  })
}

function findSeveralEndpoints({ upstreams }: GatewayConfig): readonly Finding[] {
  return eachKnown(Object.keys(upstreams), (name) => {
    if ((upstreams[name]?.endpoints.length ?? 0) < 2) return []
    const message = 'balancing over several endpoints is not built yet; keep one'
    return [{ path: ['upstreams', name, 'endpoints'], code: 'not_built_yet', message }]
  })
}

function findWrongPrefixes({ routes }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ match, stripPrefix }, index) => {
    const parsed = parseMatch(match).match
    if (stripPrefix === undefined || parsed === undefined) return []
    const message = findPrefixFault(stripPrefix, parsed)
    return message === undefined ? [] : [{ path: ['routes', index, 'stripPrefix'], message }]
  })
}

function findShadows({ routes }: GatewayConfig): readonly Finding[] {
  const matches = eachKnown(routes, ({ match: text }, index) => {
    const { match } = parseMatch(text)
    return match === undefined ? [] : [{ match, text, index }]
  })
  return matches.flatMap((own, at) => {
    const broader = matches.slice(0, at).find((earlier) => covers(earlier.match, own.match))
    if (broader === undefined) return []
    const message = `nothing reaches this route, as routes[${broader.index}] (${broader.text}) comes first and takes all of it; move it up or remove it`
    return [{ path: ['routes', own.index, 'match'], severity: 'warning', message }]
  })
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
