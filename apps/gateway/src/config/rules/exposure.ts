import type { Finding } from '@tidegate/config'
import { isLocalHost } from '../addresses.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { AuthMode, Profile } from '../settings.ts'

/** What would let strangers in who should stay out. */
export function checkExposure(config: GatewayConfig, profile: Profile): readonly Finding[] {
  return [
    ...config.routes.flatMap((_, index) => [
      ...findOpenCredential(config, index),
      ...findKeylessRoute(config, index),
    ]),
    ...findAnyOrigin(config, profile),
  ]
}

/** A route's authentication as it is when the route does not say: required as soon as there are keys. */
export function authOf(config: GatewayConfig, route: GatewayConfig['routes'][number]): AuthMode {
  return route.auth ?? (config.auth.keys.length > 0 ? 'required' : 'none')
}

// "optional" lets everybody pass too, so only the route's own "none" says that it is meant.
function findOpenCredential(config: GatewayConfig, index: number): readonly Finding[] {
  const route = config.routes[index]
  const { host } = config.server
  if (route === undefined || isLocalHost(host) || route.auth === 'none') return []
  if (authOf(config, route) === 'required') return []
  const upstreams = new Map(Object.entries(config.upstreams))
  const lent = route.upstreams.find((name) =>
    upstreams.get(name)?.endpoints.some(({ apiKey }) => apiKey !== undefined),
  )
  if (lent === undefined) return []
  const message =
    `the gateway listens on ${host} and would let anyone spend the apiKey of upstream ${lent}; ` +
    'give clients keys under auth.keys, listen on 127.0.0.1, or write auth: none on the route if that is meant'
  return [{ path: ['routes', index], message }]
}

function findKeylessRoute(config: GatewayConfig, index: number): readonly Finding[] {
  if (config.routes[index]?.auth !== 'required' || config.auth.keys.length > 0) return []
  const message = 'nobody could pass, as there are no keys; add some under auth.keys'
  return [{ path: ['routes', index, 'auth'], message }]
}

function findAnyOrigin({ server }: GatewayConfig, profile: Profile): readonly Finding[] {
  const index = server.cors.origins.indexOf('*')
  if (profile !== 'production' || index === -1) return []
  const message = 'production takes no "*"; name the origins whose scripts may call'
  return [{ path: ['server', 'cors', 'origins', index], message }]
}
