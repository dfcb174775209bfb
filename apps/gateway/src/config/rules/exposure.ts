import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { isLocalHost } from '../addresses.ts'
import { takesCredentials } from '../schema/auth.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { AuthMode } from '../settings.ts'

/** What would let strangers in who should stay out, or nobody at all. */
export const exposureRules: readonly Rule<GatewayConfig>[] = [
  findOpenCredentials,
  findWanderingCredentials,
  findKeylessRoutes,
  findAnyOrigin,
]

/** A route's authentication as it is when the route does not say: required as soon as anybody could pass. */
export function authOf(config: GatewayConfig, route: GatewayConfig['routes'][number]): AuthMode {
  return route.auth ?? (takesCredentials(config.auth) ? 'required' : 'none')
}

// "optional" lets everybody pass too, so only the route's own "none" says that it is meant.
function findOpenCredentials(config: GatewayConfig): readonly Finding[] {
  const { host } = config.server
  if (isLocalHost(host)) return []
  return eachKnown(config.routes, (route, index) => {
    if (route.auth === 'none' || authOf(config, route) === 'required') return []
    const [lent] = eachKnown(route.upstreams, (name) => (lends(config, name) ? [name] : []))
    if (lent === undefined) return []
    const message =
      `the gateway listens on ${host} and would let anyone spend the apiKey of upstream ${lent}; ` +
      'give clients keys under auth.keys (or take tokens by auth.jwt), listen on 127.0.0.1, or write auth: none on the route if that is meant'
    return [{ path: ['routes', index], message }]
  })
}

function lends({ upstreams }: GatewayConfig, name: string): boolean {
  const endpoints = Object.hasOwn(upstreams, name) ? upstreams[name]?.endpoints : undefined
  return eachKnown(endpoints ?? [], ({ apiKey }) => [apiKey]).some((key) => key !== undefined)
}

// Where no key is required, the client's own credential passes: to whichever upstream answers.
function findWanderingCredentials(config: GatewayConfig): readonly Finding[] {
  return eachKnown(config.routes, (route, index) => {
    if (authOf(config, route) === 'required') return []
    const hosts = new Set(eachKnown(route.upstreams, (name) => strangers(config, name)))
    if (hosts.size < 2) return []
    const message = `a client's own credential goes to whichever upstream answers, ${[...hosts].join(' or ')}, as they have no apiKey; give each one, or set auth: required`
    return [{ path: ['routes', index, 'upstreams'], severity: 'warning', message }]
  })
}

/** The first host elsewhere that an AI upstream would hand a client's own credential to. */
function strangers({ upstreams }: GatewayConfig, name: string): readonly string[] {
  const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
  if (upstream === undefined || upstream.protocol === 'http') return []
  const hosts = eachKnown(upstream.endpoints, ({ url, apiKey }) => {
    const { host, hostname } = new URL(url)
    return apiKey === undefined && !isLocalHost(hostname.replace(/^\[|\]$/g, '')) ? [host] : []
  })
  return hosts.slice(0, 1)
}

function findKeylessRoutes({ auth, routes }: GatewayConfig): readonly Finding[] {
  if (takesCredentials(auth)) return []
  return eachKnown(routes, (route, index) => {
    if (route.auth !== 'required') return []
    const message =
      'nobody could pass, as there are no keys; add some under auth.keys, or take tokens by auth.jwt'
    return [{ path: ['routes', index, 'auth'], message }]
  })
}

function findAnyOrigin(
  { server }: GatewayConfig,
  { profile }: Parameters<Rule<GatewayConfig>>[1],
): readonly Finding[] {
  if (profile !== 'production') return []
  return eachKnown(server.cors.origins, (origin, index) => {
    if (origin !== '*') return []
    const message = 'production takes no "*"; name the origins whose scripts may call'
    return [{ path: ['server', 'cors', 'origins', index], message }]
  })
}
