import type { Logger } from '@tidegate/logger'
import type { Metrics } from '@tidegate/telemetry'
import {
  type Anomalies,
  type Anomaly,
  type AnomalyEvent,
  anomalyEvent,
  createAnomalies,
  errorDetector,
  latencyDetector,
  usageDetector,
} from '@tidegate/telemetry/anomaly'
import type { AnomalySettings } from '../../config/settings.ts'

/** Fewer tokens a second than this are no event, whatever is usual. */
const LEAST_TOKENS = 100

export interface AnomalyParts {
  readonly settings: Pick<AnomalySettings, 'threshold'>
  readonly metrics: Metrics
  readonly logger: Logger
  /** Told when one begins, and when it has ended. */
  readonly tell: (event: AnomalyEvent) => void
}

/** Watches this gateway's latency, errors and tokens: what is unusual is logged, counted and told. */
export function watchAnomalies({ settings, metrics, logger, tell }: AnomalyParts): Anomalies {
  const { threshold } = settings
  const labels = ['metric'] as const
  const total = metrics.counter('tidegate_anomalies_total', {
    help: 'Times in which a metric was unusual.',
    labels,
  })
  const active = metrics.gauge('tidegate_anomaly_active', {
    help: 'Whether a metric is unusual now.',
    labels,
  })
  const detectors = [
    latencyDetector('latency.p95'),
    errorDetector('errors.ratio'),
    usageDetector('tokens.input', LEAST_TOKENS),
    usageDetector('tokens.output', LEAST_TOKENS),
  ]
  for (const { metric } of detectors) {
    total.series(metric)
    active.series(metric).set(0)
  }
  return createAnomalies({
    detectors: detectors.map((each) => ({ ...each, threshold })),
    onBegin: (anomaly) => {
      total.series(anomaly.metric).add()
      active.series(anomaly.metric).set(1)
      logger.warn(fieldsOf(anomaly), 'a metric is unusual')
      tell(anomalyEvent(anomaly))
    },
    onEnd: (anomaly) => {
      active.series(anomaly.metric).set(0)
      logger.info(fieldsOf(anomaly), 'a metric is usual again')
      tell(anomalyEvent(anomaly))
    },
    onError: (error) => logger.warn({ err: error }, 'an anomaly could not be told'),
  })
}

function fieldsOf(anomaly: Anomaly): Readonly<Record<string, unknown>> {
  const { type, ...facts } = anomalyEvent(anomaly)
  return facts
}

/** As `GET /metrics/anomalies` tells them; where nobody looks for any there are none. */
export function anomalyReport(anomalies: Anomalies | undefined): Readonly<Record<string, unknown>> {
  const { active = [], recent = [] } = anomalies ?? {}
  return { active: active.map(fieldsOf), recent: recent.map(fieldsOf) }
}
