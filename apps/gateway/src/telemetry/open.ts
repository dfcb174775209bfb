import type { Logger } from '@tidegate/logger'
import { Hono, type MiddlewareHandler } from 'hono'
import type { SharedAnswers } from '../cache/open.ts'
import type { Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { RequestObserver } from '../front.ts'
import type { GatewayHealth } from '../health/open.ts'
import type { Limits } from '../limits/limits.ts'
import type { SharedRedis } from '../redis.ts'
import type { CallObserver } from '../upstreams/call-observer.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { historyEndpoints, noSuchMetrics } from './history/endpoints.ts'
import { type KeptHistory, openHistory } from './history/open.ts'
import { metricsEndpoint } from './metrics/endpoint.ts'
import { collectHealth } from './metrics/health-collector.ts'
import { type GatewayMetrics, openMetrics } from './metrics/open.ts'
import { streamEndpoints } from './streams/endpoints.ts'
import { type MetricStreams, openStreams } from './streams/open.ts'
import { callsTogether, together } from './together.ts'
import { openTracing } from './tracing/open.ts'

/** What is observed. */
export interface TelemetryParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly upstreams: readonly Upstream[]
  readonly redis: SharedRedis | undefined
  readonly limits: Limits
  readonly answers: SharedAnswers | undefined
  readonly health: Pick<GatewayHealth, 'snapshot' | 'shedding'>
}

/** Everything by which the gateway is seen from outside. */
export interface Telemetry {
  /** Absent: metrics are off. */
  readonly metrics: GatewayMetrics | undefined
  /** Absent: what metrics were isn't kept. */
  readonly kept?: KeptHistory | undefined
  /** Absent as well then. */
  readonly streams?: MetricStreams | undefined
  /** Sees every request come and go. Absent: nobody looks. */
  readonly requests: RequestObserver | undefined
  /** Sees every attempt to have an answer. Absent: nobody looks. */
  readonly calls: CallObserver | undefined
  /** All below `/metrics`. */
  endpoints(adminOnly: MiddlewareHandler<GatewayEnv>): Hono<GatewayEnv>
  /** The gateway begins to shut down: who follows a stream is to come back to another one. */
  endStreams(): void
  /** Sends off what is still here, and lets go of everything. Never rejects. */
  close(): Promise<void>
}

export async function openTelemetry(parts: TelemetryParts): Promise<Telemetry> {
  const metrics = parts.settings.telemetry.metrics ? openMetrics(parts) : undefined
  if (metrics !== undefined) collectHealth(metrics.registry, parts.health)
  const kept =
    metrics &&
    openHistory({
      ...{ ...parts, metrics: metrics.registry },
      tell: (event) => streams?.tell('anomaly', event),
    })
  const streams = kept && (await openStreams({ ...parts, history: kept.history }))
  const tracing = await openTracing(parts, metrics?.registry)
  const { spans } = tracing ?? {}
  return {
    ...{ metrics, kept, streams },
    requests: together([metrics?.requests, spans?.requests]),
    calls: callsTogether([metrics?.calls, spans?.calls]),
    endpoints: (adminOnly) => {
      const { bodyLimit, compression, timeouts } = parts.settings.server
      const body = { limit: bodyLimit, idle: timeouts.body }
      const app = new Hono<GatewayEnv>()
      app.route('/', streamEndpoints({ streams, body, adminOnly }))
      app.all('/metrics', adminOnly, metricsEndpoint(metrics, parts))
      app.route('/', historyEndpoints({ kept, adminOnly, compression }))
      app.all('/metrics/*', adminOnly, noSuchMetrics)
      return app
    },
    endStreams: () => streams?.end(),
    close: async () => {
      // A hanging Redis and a hanging collector are waited for at the same time.
      await Promise.all([streams?.close().then(() => kept?.close()), tracing?.close()])
      metrics?.close()
    },
  }
}
