import { createMetrics, type Metrics } from '@tidegate/telemetry'
import type { RequestObserver } from '../../front.ts'
import type { TelemetryParts } from '../open.ts'
import { requestMetrics } from './request-metrics.ts'

/** What the gateway counts and times. */
export interface GatewayMetrics {
  readonly registry: Metrics
  readonly requests: RequestObserver
  close(): void
}

export function openMetrics({ logger, version }: TelemetryParts): GatewayMetrics {
  const registry = createMetrics({
    onOverflow: (metric) =>
      logger.warn({ metric }, 'a metric has too many series: new ones are counted as other'),
    onError: (error) => logger.warn({ err: error }, 'a metric could not be read'),
  })
  const build = registry.gauge('tidegate_build_info', {
    help: 'The version of this gateway; always 1.',
    labels: ['version'],
  })
  build.series(version).set(1)
  return { registry, requests: requestMetrics(registry), close: () => {} }
}
