import { type Logger, logSecurityEvent } from '@tidegate/logger'
import type { Session } from '@tidegate/rate-limit/sessions'
import type { Hono, MiddlewareHandler } from 'hono'
import type { AuthMode, Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import type { SharedRedis } from '../redis.ts'
import { sessionEndpoints } from './endpoints.ts'
import { createGatewaySessions } from './gateway-sessions.ts'
import { inSession } from './in-session.ts'
import { within } from './session-gate.ts'

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

/** Sessions, as the rest of the app uses them. */
export interface MountedSessions {
  /** What routes have to pass once it is known who is calling: nothing at all where sessions are off. */
  readonly gates: readonly Gate[]
  /** Ends all sessions of a user for an operator, and says how many there were. */
  endAll(user: string): Promise<number>
}

const OFF: MountedSessions = { gates: [], endAll: async () => 0 }

/** Puts the endpoints of sessions onto the app. */
export function mountSessions(
  app: Hono<GatewayEnv>,
  { settings, logger, redis, guards, adminOnly, authenticate }: SessionParts,
): MountedSessions {
  if (settings.sessions === undefined) return OFF
  const sharing = redis && { redis: redis.connections.commands, prefix: redis.prefix }
  const { sessions, gate } = createGatewaySessions(settings.sessions, logger, sharing)
  const mode = authOfEndpoints(settings)
  const onEndedByAdmin = (user: string, ended: readonly Session[]): void =>
    logSecurityEvent(logger, {
      type: 'admin_access',
      action: 'end_sessions',
      user,
      sessions: ended.map(({ handle }) => handle),
    })
  const endpoints = sessionEndpoints({
    sessions,
    guards,
    adminOnly,
    authenticate: mode === 'none' ? undefined : authenticate(mode),
    onEndedByAdmin,
  })
  app.route('/', endpoints)
  return {
    gates: [inSession(gate)],
    endAll: async (user) => {
      const ended = await within(sessions.endAll(user))
      onEndedByAdmin(user, ended)
      return ended.length
    },
  }
}

/** As on the routes: who may call one of them without a credential may have sessions without one. */
function authOfEndpoints({ routes }: Pick<Settings, 'routes'>): AuthMode {
  const modes = routes.map(({ auth }) => auth)
  if (modes.every((mode) => mode === 'none')) return 'none'
  return modes.every((mode) => mode === 'required') ? 'required' : 'optional'
}
