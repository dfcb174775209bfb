import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { covers, findPrefixFault, parseMatch } from '../route-match.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { suggest } from '../suggest.ts'
import { repeated } from './repeated.ts'

/** What is wrong between routes and upstreams. */
export const routeRules: readonly Rule<GatewayConfig>[] = [
  findUnknownUpstreams,
  findMixedProtocols,
  findRepeatedUpstreams,
  findHeldBackBytes,
  findWrongPrefixes,
  findShadows,
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

function findMixedProtocols({ routes, upstreams }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ upstreams: names }, index) => {
    const protocols = new Set(protocolsOf(names, upstreams))
    if (protocols.size < 2) return []
    const message = `a route's upstreams must speak one protocol, and these speak ${[...protocols].join(' and ')}; failing over from one to another would need bodies to be translated`
    return [{ path: ['routes', index, 'upstreams'], message }]
  })
}

function protocolsOf(
  names: readonly string[],
  upstreams: GatewayConfig['upstreams'],
): readonly string[] {
  return eachKnown(names, (name) => {
    const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
    return upstream === undefined ? [] : [upstream.protocol]
  })
}

function findRepeatedUpstreams({ routes }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ upstreams }, index) =>
    repeated(upstreams, (name) => name).map(({ key, index: at }) => ({
      path: ['routes', index, 'upstreams', at],
      message: `${JSON.stringify(key)} is on this route already, and how often it is tried its own retry says; remove it here`,
    })),
  )
}

function findHeldBackBytes({ routes, upstreams }: GatewayConfig): readonly Finding[] {
  return eachKnown(routes, ({ upstreams: names, stream }, index) => {
    if (stream?.holdBack === undefined) return []
    if (!protocolsOf(names, upstreams).includes('http')) return []
    const message =
      'streams of protocol http pass as they are, so none can be held back; set it to off, or say which AI protocol the upstream speaks'
    return [{ path: ['routes', index, 'stream', 'holdBack'], message }]
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
