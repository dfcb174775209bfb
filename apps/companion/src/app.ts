import { OpenAPIHono } from '@hono/zod-openapi'
import type { Health } from '@tidegate/health'
import type { Logger } from '@tidegate/logger'
import { requestLog } from '@tidegate/logger/hono'
import { createProblems, createTrust, deadline, exchange, security } from '@tidegate/server'
import type { Authenticate } from './auth/authenticate.ts'
import type { Settings } from './config/settings.ts'
import type { CompanionEnv } from './env.ts'
import { healthOperations } from './health/operations.ts'
import { logFault, requestFields } from './logging.ts'
import { type DocsPage, mountDocument } from './openapi/document.ts'
import { mountOperations } from './openapi/mount.ts'
import type { AnyOperation } from './openapi/operation.ts'
import { problems } from './problems.ts'
import type { CompanionMetrics } from './telemetry/open.ts'
import { metricsOperations } from './telemetry/operations.ts'

/** What the app is put together from. */
export interface CompanionParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly health: Health
  readonly metrics: CompanionMetrics
  readonly authenticate: Authenticate
  /** What the companion is there for. */
  readonly operations: readonly AnyOperation[]
  readonly page: DocsPage
}

/** A request's way through the companion, from the top down. */
export function createCompanion(parts: CompanionParts): OpenAPIHono<CompanionEnv> {
  const { settings, version, logger, health, metrics } = parts
  const { profile, server } = settings
  const app = new OpenAPIHono<CompanionEnv>()
  const errors = createProblems({
    table: problems,
    production: profile === 'production' || profile === 'staging',
    onProblem: ({ status }, error) => logFault(logger, status, error),
  })
  app.onError(errors.onError)
  app.notFound(errors.notFound)
  app.use(
    exchange({ profile, trust: createTrust(server.trustedProxies), service: 'companion' }),
    requestLog<CompanionEnv>({
      logger,
      line: requestFields.line,
      context: (c) => {
        metrics.begin()
        return requestFields.context(c)
      },
      onEnd: metrics.end,
    }),
    security(profile),
    deadline({ ms: server.requestTimeoutMs, enforce: true }),
  )
  const own = [...healthOperations(health), ...metricsOperations(metrics)]
  mountOperations(app, [...own, ...parts.operations], parts.authenticate)
  mountDocument(app, version, parts.page)
  return app
}
