import { type Logger, logSecurityEvent } from '@tidegate/logger'
import type { Hono, MiddlewareHandler } from 'hono'
import type { AuthMode, Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import type { SharedRedis } from '../redis.ts'
import { sessionEndpoints } from './endpoints.ts'
import { createGatewaySessions } from './gateway-sessions.ts'
import { inSession } from './in-session.ts'

/** What sessions are mounted with. */
export interface SessionParts {
  readonly settings: Pick<Settings, 'sessions' | 'routes'>
  readonly logger: Logger
  /** Absent: sessions are in this process's memory. */
  readonly redis: SharedRedis | undefined
  /** What every request has to pass first. */
  readonly guards: readonly Gate[]
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  readonly authenticate: (mode: Exclude<AuthMode, 'none'>) => Gate
}

/**
 * Puts the endpoints of sessions onto the app, and returns what routes have to pass once it is known who
 * is calling: nothing at all where sessions are off.
 */
export function mountSessions(
  app: Hono<GatewayEnv>,
  { settings, logger, redis, guards, adminOnly, authenticate }: SessionParts,
): readonly Gate[] {
  if (settings.sessions === undefined) return []
  const sharing = redis && { redis: redis.connections.commands, prefix: redis.prefix }
  const { sessions, gate } = createGatewaySessions(settings.sessions, logger, sharing)
  const mode = authOfEndpoints(settings)
  const endpoints = sessionEndpoints({
    sessions,
    guards,
    adminOnly,
    authenticate: mode === 'none' ? undefined : authenticate(mode),
    onEndedByAdmin: (user, ended) =>
      logSecurityEvent(logger, {
        type: 'admin_access',
        action: 'end_sessions',
        user,
        sessions: ended.map(({ handle }) => handle),
      }),
  })
  app.route('/', endpoints)
  return [inSession(gate)]
}

/** As on the routes: who may call one of them without a credential may have sessions without one. */
function authOfEndpoints({ routes }: Pick<Settings, 'routes'>): AuthMode {
  const modes = routes.map(({ auth }) => auth)
  if (modes.every((mode) => mode === 'none')) return 'none'
  return modes.every((mode) => mode === 'required') ? 'required' : 'optional'
}
