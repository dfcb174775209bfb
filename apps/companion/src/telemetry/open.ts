import type { Logger } from '@tidegate/logger'
import type { RequestEnd } from '@tidegate/logger/hono'
import { createMetrics, type Metrics, observeProcess } from '@tidegate/telemetry'
import type { Context } from 'hono'
import type { CompanionEnv } from '../env.ts'
import { statusAt } from '../logging.ts'

/** What the companion counts and times. */
export interface CompanionMetrics {
  readonly registry: Metrics
  begin(): void
  end(c: Context<CompanionEnv>, end: RequestEnd): void
  /** A query took too long. */
  slowQuery(seconds: number): void
}

/** All that a client can make up goes by one name. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
])

/** Makes the registry behind `/metrics`, with the names that the gateway uses. */
export function openMetrics(logger: Logger, version: string): CompanionMetrics {
  const registry = createMetrics({
    onOverflow: (metric) =>
      logger.warn({ metric }, 'a metric has too many series: new ones are counted as other'),
    onError: (error) => logger.warn({ err: error }, 'a metric could not be read'),
  })
  const build = registry.gauge('tidegate_companion_build_info', {
    help: 'The version of this companion; always 1.',
    labels: ['version'],
  })
  build.series(version).set(1)
  const durations = registry.histogram('http_server_request_duration_seconds', {
    help: "From a request's arrival to the end of its answer.",
    unit: 'seconds',
    labels: ['http_request_method', 'http_route', 'http_response_status_code', 'error_type'],
  })
  const active = registry.upDownCounter('http_server_active_requests', {
    help: 'Requests under way.',
  })
  const slow = registry.histogram('tidegate_database_slow_query_duration_seconds', {
    help: 'Queries of the database that took longer than DATABASE_SLOW_QUERY.',
    unit: 'seconds',
  })
  let underWay = 0
  active.series().set(0)
  observeProcess(registry)
  return {
    registry,
    begin: () => active.series().set(++underWay),
    end: (c, end) => {
      active.series().set(--underWay)
      const exchange = c.get('exchange')
      const method = METHODS.has(exchange.method) ? exchange.method : '_OTHER'
      const status = statusAt(end, exchange)
      const error = exchange.errorCode ?? (status >= 500 ? String(status) : '')
      durations
        .series(method, exchange.route ?? '', String(status), error)
        .record(end.durationMs / 1000)
    },
    slowQuery: (seconds) => slow.series().record(seconds),
  }
}
