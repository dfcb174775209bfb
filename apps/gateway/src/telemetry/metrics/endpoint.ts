import { ServerError } from '@tidegate/server'
import { exposition, negotiate } from '@tidegate/telemetry'
import type { Handler } from 'hono'
import type { GatewayEnv } from '../../env.ts'
import { GatewayError } from '../../problems.ts'
import type { TelemetryParts } from '../open.ts'
import type { GatewayMetrics } from './open.ts'
import { metricsReport } from './report.ts'

const noStore = { 'cache-control': 'no-store', vary: 'accept' }

/** `GET /metrics`: Prometheus's text, OpenMetrics or JSON, as the client says. */
export function metricsEndpoint(
  metrics: GatewayMetrics | undefined,
  parts: TelemetryParts,
): Handler<GatewayEnv> {
  return async (c) => {
    const { method } = c.get('exchange')
    if (method !== 'GET' && method !== 'HEAD') {
      const takesMetrics = parts.settings.telemetry.history !== undefined
      const facts = { allow: takesMetrics ? 'GET, HEAD, POST' : 'GET, HEAD' }
      throw new ServerError('method_not_allowed', 'This endpoint has no such method.', { facts })
    }
    if (metrics === undefined) {
      throw new GatewayError('no_route', 'Metrics are off on this gateway.')
    }
    const format = negotiate(c.env.incoming.headers.accept)
    await metrics.system.refresh()
    if (format === 'json') return c.json(metricsReport(metrics, parts), 200, noStore)
    const { contentType, body } = exposition(metrics.registry.snapshot(), { format })
    return c.body(body, 200, { 'content-type': contentType, ...noStore })
  }
}
