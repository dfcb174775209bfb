import type { Logger } from '@tidegate/logger'
import { Hono, type MiddlewareHandler } from 'hono'
import type { SharedAnswers } from '../cache/open.ts'
import type { Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { RequestObserver } from '../front.ts'
import type { Limits } from '../limits/limits.ts'
import type { SharedRedis } from '../redis.ts'
import type { CallObserver } from '../upstreams/call-observer.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { historyEndpoints, noSuchMetrics } from './history/endpoints.ts'
import { type KeptHistory, openHistory } from './history/open.ts'
import { metricsEndpoint } from './metrics/endpoint.ts'
import { type GatewayMetrics, openMetrics } from './metrics/open.ts'
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
}

/** Everything by which the gateway is seen from outside. */
export interface Telemetry {
  /** Absent: metrics are off. */
  readonly metrics: GatewayMetrics | undefined
  /** Absent: what metrics were isn't kept. */
  readonly kept?: KeptHistory | undefined
  /** Sees every request come and go. Absent: nobody looks. */
  readonly requests: RequestObserver | undefined
  /** Sees every attempt to have an answer. Absent: nobody looks. */
  readonly calls: CallObserver | undefined
  /** All below `/metrics`. */
  endpoints(adminOnly: MiddlewareHandler<GatewayEnv>): Hono<GatewayEnv>
  /** Sends off what is still here, and lets go of everything. Never rejects. */
  close(): Promise<void>
}

export async function openTelemetry(parts: TelemetryParts): Promise<Telemetry> {
  const metrics = parts.settings.telemetry.metrics ? openMetrics(parts) : undefined
  const kept = metrics && openHistory({ ...parts, metrics: metrics.registry })
  const tracing = await openTracing(parts, metrics?.registry)
  const { spans } = tracing ?? {}
  return {
    ...{ metrics, kept },
    requests: together([metrics?.requests, spans?.requests]),
    calls: callsTogether([metrics?.calls, spans?.calls]),
    endpoints: (adminOnly) => {
      const app = new Hono<GatewayEnv>()
      app.all('/metrics', adminOnly, metricsEndpoint(metrics, parts))
      const { compression } = parts.settings.server
      app.route('/', historyEndpoints({ kept, adminOnly, compression }))
      app.all('/metrics/*', adminOnly, noSuchMetrics)
      return app
    },
    close: async () => {
      await Promise.all([kept?.close(), tracing?.close()])
      metrics?.close()
    },
  }
}
