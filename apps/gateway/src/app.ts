import type { Logger } from '@tidegate/logger'
import { compress, cors, createProblems, type Problems } from '@tidegate/server'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { answered } from './answered.ts'
import type { Callers } from './auth/callers.ts'
import { createGatekeepers, type Gatekeepers } from './auth/gatekeepers.ts'
import type { SharedAnswers } from './cache/open.ts'
import type { Settings } from './config/settings.ts'
import type { PageFiles } from './dashboard/page-files.ts'
import type { GatewayEnv } from './env.ts'
import { createFront } from './front.ts'
import { behind, type Gate, through } from './gates.ts'
import { type ForwardLimits, forward } from './handlers/forward.ts'
import { tunnel } from './handlers/tunnel.ts'
import { validate } from './handlers/validate.ts'
import { type GatewayHealth, openHealth } from './health/open.ts'
import { guard as addressGuard } from './limits/guard.ts'
import type { Limits } from './limits/limits.ts'
import { type LimitStageParts, limit } from './limits/stage.ts'
import { logFault, logLimitHit } from './logging.ts'
import { ownEndpoints } from './own-endpoints.ts'
import { GatewayError, problems } from './problems.ts'
import type { SharedRedis } from './redis.ts'
import { type Route, routerPattern } from './routes.ts'
import { SESSION_PATHS } from './sessions/endpoints.ts'
import { mountSessions } from './sessions/mount.ts'
import { carry, enter, ownPaths, toldHeaders } from './stages.ts'
import type { Telemetry } from './telemetry/open.ts'
import { traced } from './telemetry/tracing/step.ts'
import { FailureLog } from './upstreams/failure-log.ts'
import type { Upstream } from './upstreams/upstream.ts'

export interface GatewayParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly upstreams: readonly Upstream[]
  readonly routes: readonly Route[]
  readonly callers: Callers
  readonly limits: Limits
  /** Absent: no route keeps or shares any. */
  readonly answers: SharedAnswers | undefined
  /** Absent: what is shared elsewhere is in this process's memory. */
  readonly redis: SharedRedis | undefined
  /** Absent: nobody looks at requests, and there is nothing to tell of them. */
  readonly telemetry?: Telemetry
  /** Absent: one of its own, for as long as the process lives. */
  readonly health?: GatewayHealth
  /** The dashboard's. Absent: it isn't in this build. */
  readonly page?: PageFiles | undefined
  /** False from the first signal on. */
  readonly ready: () => boolean
}

/**
 * The inbound pipeline: a request's way through the gateway, from the top down. What a route doesn't
 * have is not mounted for it.
 */
export async function createGateway(parts: GatewayParts): Promise<Hono<GatewayEnv>> {
  const { settings, logger, routes } = parts
  const { profile, server } = settings
  const app = new Hono<GatewayEnv>({ getPath })
  const failureLog = new FailureLog()
  const { callers, limits, redis } = parts
  const gatekeepers = createGatekeepers({
    ...{ settings, logger, callers, store: limits.store },
    onFailure: (reason) => parts.telemetry?.metrics?.instruments.authFailures.series(reason).add(),
  })

  const { authenticate } = gatekeepers
  const errors = answersOf(profile, logger)
  const front = createFront({
    settings,
    logger,
    problems: errors,
    observer: parts.telemetry?.requests,
  })
  app.onError(errors.onError)

  // Our own endpoints come without CORS: no web page reads them for its visitor.
  for (const path of ownPaths) app.use(path, front.middleware)
  if (server.compression) app.use('/health/*', compress())
  const health = parts.health ?? (await openHealth({ ...parts, connections: async () => 0 }))
  const endSessions = (user: string): Promise<number> => sessions.endAll(user)
  app.route('/', ownEndpoints({ ...parts, health, failureLog, gatekeepers, endSessions }))
  const transfer = {
    body: { limit: server.bodyLimit, idle: server.timeouts.body },
    write: server.timeouts.write,
  }

  const { origins } = server.cors
  const crossOrigin: MiddlewareHandler = cors({ origins, profile, exposeHeaders: toldHeaders })
  if (settings.sessions !== undefined) {
    for (const path of SESSION_PATHS) app.use(path, front.middleware, crossOrigin)
  }
  const onHit = (...hit: Parameters<LimitStageParts['onHit']>): void => logLimitHit(logger, ...hit)
  const guards = server.guard === undefined ? [] : [addressGuard(server.guard, onHit)]
  const inFront = health.shedding === undefined ? guards : [health.shedding.gate, ...guards]
  const sessions = mountSessions(app, {
    ...{ settings, logger, redis, guards, adminOnly: gatekeepers.admin.only },
    authenticate,
  })
  for (const route of routes) {
    const gates = await gatesOf(route, {
      ...{ inFront, authenticate, sessions, limits, onHit, transfer },
      isTraced: settings.telemetry.tracing !== undefined,
    })
    const outbound = { route, transfer, failureLog, logger, calls: parts.telemetry?.calls }
    const plain = carry(forward(outbound), tunnel(route))
    const end = answered(outbound, parts.answers, plain)
    app.all(routerPattern(route.match), front.around(behind(crossOrigin, through(gates, end))))
  }

  const lost = front.around(behind(crossOrigin, noRoute))
  // Below our own endpoints the request has come through the front already.
  app.notFound(
    (c: Context<GatewayEnv>) =>
      (c.get('exchange') === undefined ? lost : noRoute)(c, next) as Promise<Response>,
  )
  return app
}

interface GateParts extends Pick<LimitStageParts, 'limits' | 'onHit'> {
  readonly inFront: readonly Gate[]
  readonly authenticate: Gatekeepers['authenticate']
  readonly sessions: { readonly gates: readonly Gate[] }
  readonly transfer: ForwardLimits
  /** Whether each of them is a step of the request's trace. */
  readonly isTraced: boolean
}

/** What a request has to pass on a route, in this order. */
async function gatesOf(route: Route, parts: GateParts): Promise<Gate[]> {
  const { inFront, authenticate, sessions, limits, onHit, transfer, isTraced } = parts
  const step = (name: string, gate: Gate): Gate => (isTraced ? traced(name, gate) : gate)
  const gates: Gate[] = [enter(route), ...inFront]
  if (route.auth !== 'none') gates.push(step('auth', authenticate(route.auth)))
  gates.push(...sessions.gates.map((gate) => step('session', gate)))
  const plan = limits.planOf(route.limits)
  if (!plan.isEmpty) {
    gates.push(step('limits', limit({ limits, plan, body: transfer.body, onHit })))
  }
  if (route.validate !== undefined) {
    gates.push(step('validate', await validate(route.validate, transfer.body)))
  }
  return gates
}

const noRoute: Handler<GatewayEnv> = () => {
  throw new GatewayError('no_route', 'No route of this gateway matches this path.')
}

/** Behind a handler that nothing comes after. */
const next = async (): Promise<void> => {}

/** What every error becomes, whatever has thrown it. */
function answersOf(profile: Settings['profile'], logger: Logger): Problems {
  return createProblems({
    table: problems,
    production: profile === 'production' || profile === 'staging',
    form: (c: Context<GatewayEnv>) => (c.get('protocol') === 'anthropic' ? 'anthropic' : 'openai'),
    onProblem: ({ code }, error, c: Context<GatewayEnv>) => {
      logFault(logger, c, error)
      const { headers, requestId } = c.get('exchange')
      // Where Anthropic's SDK looks for it.
      if (c.get('protocol') === 'anthropic') headers.push('request-id', requestId)
      // Whether the body still comes, nobody can tell: the next request must not be taken for it.
      const bodyMayCome = c.env.incoming.expectsContinue || code === 'request_timeout'
      if (bodyMayCome) headers.push('connection', 'close')
    },
  })
}

/** Own endpoints and routes are matched on the very path that is forwarded. */
function getPath(_request: Request, options?: { env?: GatewayEnv['Bindings'] }): string {
  const target = options?.env?.incoming.target
  return target?.ok ? target.path : '/'
}
