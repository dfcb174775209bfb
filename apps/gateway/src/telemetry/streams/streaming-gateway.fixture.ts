import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createLogger } from '@tidegate/logger'
import { createProblems } from '@tidegate/server'
import { createHistory, type History } from '@tidegate/telemetry/history'
import { redisHistoryStore } from '@tidegate/telemetry/redis'
import { Hono } from 'hono'
import { createCallers } from '../../auth/callers.ts'
import { createGatekeepers } from '../../auth/gatekeepers.ts'
import { check, settingsOf } from '../../config/check.fixture.ts'
import type { GatewayEnv } from '../../env.ts'
import { createFront } from '../../front.ts'
import { logAuthorities } from '../../logging.ts'
import { problems } from '../../problems.ts'
import { openRedis, type SharedRedis } from '../../redis.ts'
import { createGatewayServer } from '../../serve.ts'
import { streamEndpoints } from './endpoints.ts'
import { type MetricStreams, openStreams } from './open.ts'

/** As much of a gateway as streams of metrics are about: its server, its front, its admin key. */
export interface StreamingGateway extends AsyncDisposable {
  readonly url: string
  readonly history: History
  readonly streams: MetricStreams
  readonly redis: SharedRedis | undefined
  readonly lines: readonly Readonly<Record<string, unknown>>[]
}

export interface StreamingOptions {
  readonly redis?: string
  readonly history?: 'off'
  /** How long a reader's turn is, in milliseconds. */
  readonly turnMs?: number
  /** Where it is to listen. Default: anywhere. */
  readonly port?: number
}

export const adminKey = 'CANARY-admin'
export const admin = { 'x-admin-key': adminKey }

export async function streamingGateway(options: StreamingOptions = {}): Promise<StreamingGateway> {
  const { redis: url, port = 0, turnMs = 60_000 } = options
  const config = {
    version: 1,
    admin: { key: adminKey },
    ...(url !== undefined && { redis: { url } }),
    upstreams: { up: { protocol: 'http', endpoints: [{ url: 'http://127.0.0.1:9' }] } },
    routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
  }
  const settings = settingsOf(await check(JSON.stringify(config)))
  const lines: Readonly<Record<string, unknown>>[] = []
  const logger = createLogger({
    destination: { write: (text) => void lines.push(JSON.parse(text)) },
  })
  const redis = settings.redis && (await openRedis(settings.redis, logger))
  await redis?.connections.ready()
  const store = redis && redisHistoryStore({ redis: redis.connections.commands })
  const history = createHistory({ store, flushMs: 200 })
  const streams = await openStreams({ history, logger, redis, turnMs })
  const callers = createCallers(settings, logAuthorities(logger))
  const gatekeepers = createGatekeepers({ settings, logger, callers, store: undefined })
  const answers = createProblems({ table: problems, production: false })
  const front = createFront({ settings, logger, problems: answers, observer: undefined })
  const body = { limit: settings.server.bodyLimit, idle: settings.server.timeouts.body }
  const shown = options.history === 'off' ? undefined : streams
  const app = new Hono<GatewayEnv>()
  app.onError(answers.onError)
  app.use('/metrics/*', front.middleware)
  app.route('/', streamEndpoints({ streams: shown, body, adminOnly: gatekeepers.admin.only }))
  const server = createGatewayServer(app, settings.server, () => {})
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ history, streams, redis, lines },
    [Symbol.asyncDispose]: async () => {
      await streams.close()
      server.closeAllConnections()
      server.close()
      await Promise.allSettled([callers.close(), history.close()])
      await redis?.close()
    },
  }
}
