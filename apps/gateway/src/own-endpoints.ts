import type { Logger } from '@tidegate/logger'
import { Hono } from 'hono'
import { isOnThisMachine } from './admin.ts'
import type { Gatekeepers } from './auth/gatekeepers.ts'
import { cacheEndpoints } from './cache/endpoints.ts'
import type { SharedAnswers } from './cache/open.ts'
import type { Settings } from './config/settings.ts'
import { dashboard } from './dashboard/endpoints.ts'
import type { PageFiles } from './dashboard/page-files.ts'
import type { GatewayEnv } from './env.ts'
import { healthEndpoints } from './health/endpoints.ts'
import type { GatewayHealth } from './health/open.ts'
import { logOperator, logPurge } from './logging.ts'
import type { Telemetry } from './telemetry/open.ts'
import type { FailureLog } from './upstreams/failure-log.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** What the gateway's own endpoints tell of, and act on. */
export interface OwnEndpointsParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly upstreams: readonly Upstream[]
  readonly answers: SharedAnswers | undefined
  readonly telemetry?: Telemetry
  readonly health: GatewayHealth
  readonly page?: PageFiles | undefined
  readonly ready: () => boolean
  readonly failureLog: FailureLog
  readonly gatekeepers: Pick<Gatekeepers, 'admin' | 'operators'>
  readonly endSessions: (user: string) => Promise<number>
}

/** Everything that the gateway answers itself, but for its clients' sessions. */
export function ownEndpoints(parts: OwnEndpointsParts): Hono<GatewayEnv> {
  const { settings, logger, upstreams, answers, failureLog, telemetry, gatekeepers } = parts
  const { profile, server, cache, debug } = settings
  const { admin, operators } = gatekeepers
  const adminOnly = admin.only
  const app = new Hono<GatewayEnv>()
  const { health, version, ready } = parts
  const sources = { upstreams, failureLog, answers, health }
  app.route('/', healthEndpoints({ ...sources, version, ready, adminOnly }))
  app.route(
    '/',
    cacheEndpoints({
      ...{ answers, memory: cache.memory, adminOnly, endSessions: parts.endSessions },
      body: { limit: server.bodyLimit, idle: server.timeouts.body },
      isTrusted: (c) => debug && profile === 'development' && isOnThisMachine(c),
      onPurge: (target, removed) => logPurge(logger, target, removed),
    }),
  )
  if (telemetry !== undefined) app.route('/', telemetry.endpoints(adminOnly))
  app.route(
    '/',
    dashboard({
      ...{ files: parts.page, sessions: operators, adminOnly, idleMs: server.timeouts.body },
      isKey: (c, presented) => admin.isKey(c.get('exchange'), presented),
      onSession: (c, action) => logOperator(logger, c.get('exchange'), action),
    }),
  )
  return app
}
