import type { Logger } from '@tidegate/logger'
import { requestLog } from '@tidegate/logger/hono'
import {
  cors,
  createProblems,
  createTrust,
  deadline,
  exchange,
  securityHeaders,
  ServerError,
  compress,
} from '@tidegate/server'
import { Hono, type MiddlewareHandler } from 'hono'
import { adminOnly } from './admin.ts'
import { authenticate, createKeyRing } from './auth.ts'
import type { Settings } from './config/settings.ts'
import type { GatewayEnv } from './env.ts'
import { tooLarge } from './handlers/body.ts'
import { forward } from './handlers/forward.ts'
import { type OpenTunnels, tunnel } from './handlers/tunnel.ts'
import { validate } from './handlers/validate.ts'
import { health } from './health.ts'
import { logAdminRefusal, logAuthFailure, logFault, requestFields } from './logging.ts'
import { GatewayError, problems } from './problems.ts'
import { type Route, routerPattern } from './routes.ts'
import type { Upstream } from './upstreams/upstream.ts'

export interface GatewayParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly upstreams: readonly Upstream[]
  readonly routes: readonly Route[]
  readonly tunnels: OpenTunnels
  /** False from the first signal on. */
  readonly ready: () => boolean
}

/**
 * The inbound pipeline: a request's way through the gateway, from the top down. What a route doesn't
 * have is not mounted for it.
 */
export async function createGateway(parts: GatewayParts): Promise<Hono<GatewayEnv>> {
  const { settings, logger, upstreams, routes, ready, version } = parts
  const { profile, server } = settings
  const app = new Hono<GatewayEnv>({ getPath })
  const guard = adminOnly({
    key: settings.admin.key,
    profile,
    onRefused: (request, reason) => logAdminRefusal(logger, request, reason),
  })

  app.use(exchange({ profile, trust: createTrust(server.trustedProxies) }))
  app.use(requestLog({ logger, ...requestFields }))
  app.use(securityHeaders(profile))
  app.use(closeWhenDraining(ready))
  app.use(wellFormed(server.bodyLimit))

  // Our own endpoints: never for other origins, so that no web page reads them for its visitor.
  if (server.compression) app.use('/health/*', compress())
  app.route('/', health({ version, upstreams, ready, adminOnly: guard }))
  for (const path of reservedPaths) app.all(path, guard, notBuiltYet)

  app.use(cors({ origins: server.cors.origins, profile }))
  const ring = createKeyRing(settings.keys)
  const limits = {
    body: { limit: server.bodyLimit, idle: server.timeouts.body },
    write: server.timeouts.write,
  }
  for (const route of routes) {
    const stages: MiddlewareHandler<GatewayEnv>[] = [named(route)]
    if (route.auth !== 'none') {
      stages.push(authenticate(route.auth, ring, (...args) => logAuthFailure(logger, ...args)))
    }
    stages.push(upgrades(tunnel(route, parts.tunnels)))
    stages.push(deadline({ ms: route.upstream.timeouts.total }))
    if (route.validate !== undefined) stages.push(await validate(route.validate, limits.body))
    app.all(routerPattern(route.match), ...stages, forward(route, limits))
  }

  const answer = createProblems({ table: problems, production: profile === 'production' })
  app.notFound(() => {
    throw new GatewayError('no_route', 'No route of this gateway matches this path.')
  })
  app.onError((error, c) => {
    logFault(logger, c.var.exchange, error)
    return answer.onError(error, c)
  })
  return app
}
