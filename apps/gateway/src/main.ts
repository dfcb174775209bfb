import { once } from 'node:events'
import type { Server } from 'node:http'
import process from 'node:process'
import { promisify } from 'node:util'
import { createLogger, type Logger } from '@tidegate/logger'
import { createDrain } from '@tidegate/server/node'
import { createGateway } from './app.ts'
import { createCallers } from './auth/callers.ts'
import { banner } from './banner.ts'
import { openAnswers } from './cache/open.ts'
import { closerOf, closingOf, endOnSignal } from './closing.ts'
import { isLimiting } from './config/limit-rules.ts'
import type { Settings } from './config/settings.ts'
import { readPageFiles } from './dashboard/page-files.ts'
import { startDemoModel } from './demo/server.ts'
import { openHealth } from './health/open.ts'
import { openLimits } from './limits/open.ts'
import { logAuthorities } from './logging.ts'
import { openRedis } from './redis.ts'
import { connectRoutes } from './routes.ts'
import { createGatewayServer } from './serve.ts'
import { openTelemetry } from './telemetry/open.ts'
import { createUpstream, type Upstream } from './upstreams/upstream.ts'
import { version } from './version.ts'

export interface StartOptions {
  readonly settings: Settings
  /** What the operator should know about the configuration, one sentence each. */
  readonly warnings: readonly string[]
  /** Whether a person watches: they get a banner and readable lines instead of JSON. */
  readonly tty: boolean
}

/** A gateway that serves. */
export interface RunningGateway {
  readonly url: string
  /** Drains and stops; ends the process's work, not the process. */
  close(): Promise<void>
}

/**
 * Builds the gateway from its settings and serves it until a signal ends it. Rejects when it can't
 * listen.
 */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const { settings } = options
  const logger = createLogger({
    level: settings.logLevel,
    profile: settings.profile,
    destination: settings.logFile ?? 'stdout',
  })
  const demo = settings.upstreams.some((each) => each.demo) ? await startDemoModel() : undefined
  const upstreams = settings.upstreams.map((each) =>
    createUpstream(demo === undefined || !each.demo ? each : atUrl(each, demo.url)),
  )
  const byName = new Map<string, Upstream>(upstreams.map((each) => [each.name, each]))
  const redis = settings.redis && (await openRedis(settings.redis, logger))
  const limits = await openLimits(settings, redis, logger)
  const answers = await openAnswers(settings, redis, logger)
  const callers = createCallers(settings, logAuthorities(logger))
  const gate = { serving: () => false, connections: async () => 0 }
  const health = await openHealth({
    ...{ settings, logger, upstreams, callers, limits, redis, answers },
    connections: () => gate.connections(),
    env: process.env,
  })
  const telemetry = await openTelemetry({
    ...{ settings, version, logger, upstreams, redis, limits, answers, health },
  })
  const app = await createGateway({
    settings,
    version,
    logger,
    upstreams,
    routes: connectRoutes(settings.routes, byName),
    callers,
    limits,
    answers,
    redis,
    telemetry,
    health,
    page: await readPageFiles(PAGE),
    ready: () => gate.serving(),
  })
  const server = createGatewayServer(app, settings.server, (reason, ip) =>
    logger.warn({ error_code: reason, client_ip: ip }, 'connection refused'),
  )
  gate.connections = promisify(server.getConnections.bind(server))
  const { delay, timeout } = settings.server.drain
  const drain = createDrain(server, { delayMs: delay, timeoutMs: timeout })
  const url = await listen(server, settings)
  announce(logger, options, url)
  answers?.warmer?.begin(redis?.connections.ready() ?? Promise.resolve())
  const pools = upstreams.flatMap(({ endpoints }) => endpoints.map(({ pool }) => pool))
  const shutdown = closingOf({
    ...{ logger, drain, times: settings.server.drain, answers, pools, demo },
    ...{ limits, callers, health, telemetry, redis },
  })
  gate.serving = () => shutdown.ready
  const close = closerOf(shutdown, logger)
  endOnSignal(process, shutdown, logger, close)
  endOnFault(logger)
  return { url, close }
}

/** Where the build puts the dashboard: it and the sources lie equally deep below the app. */
const PAGE = new URL('../dist/dashboard/', import.meta.url)

/** What holds without Redis. */
const PER_PROCESS =
  'limits are kept in memory, per process: set REDIS_URL to share them between gateways'

function atUrl(upstream: Settings['upstreams'][number], url: URL): typeof upstream {
  return { ...upstream, endpoints: upstream.endpoints.map((each) => ({ ...each, url })) }
}

async function listen(server: Server, { server: at }: Settings): Promise<string> {
  server.listen({ host: at.host, port: at.port })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : at.port
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return `${at.tls === undefined ? 'http' : 'https'}://${host}:${port}`
}

function announce(logger: Logger, { settings, warnings, tty }: StartOptions, url: string): void {
  if (tty) {
    const color = process.env.NO_COLOR === undefined
    process.stdout.write(`${banner({ settings, url, warnings, color })}\n`)
    return
  }
  for (const warning of warnings) logger.warn(warning)
  logger.info(
    {
      url,
      version,
      profile: settings.profile,
      routes: settings.routes.map(({ match, upstreams, auth, limits }) => ({
        ...{ match, upstreams, auth },
        ...(limits.length > 0 && { limits }),
      })),
    },
    'listening',
  )
  if (isLimiting(settings) && settings.redis === undefined) logger.info(PER_PROCESS)
}

/** A fault that nobody caught leaves the process in doubt: it says why and goes, for a fresh one to come. */
function endOnFault(logger: Logger): void {
  const onFault = (error: unknown): void => {
    logger.fatal({ err: error }, 'uncaught fault: exiting')
    process.exit(1)
  }
  process.on('uncaughtException', onFault).on('unhandledRejection', onFault)
}
