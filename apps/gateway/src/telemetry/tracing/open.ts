import type { Metrics } from '@tidegate/telemetry'
import { createTracing } from '@tidegate/telemetry/tracing'
import type { RequestObserver } from '../../front.ts'
import type { CallObserver } from '../../upstreams/call-observer.ts'
import type { TelemetryParts } from '../open.ts'
import { attemptSpans } from './attempt-spans.ts'
import { countLosses } from './losses.ts'
import { requestSpans } from './request-spans.ts'

/** Traces of requests, and the way to the collector. */
export interface GatewayTracing {
  /** Absent: only metrics are sent. */
  readonly spans: { readonly requests: RequestObserver; readonly calls: CallObserver } | undefined
  /** Sends what waits, for a few seconds at most. Never rejects. */
  close(): Promise<void>
}

/** How long the end of the gateway waits for a collector: well within what it has behind the drain. */
const FLUSH_MS = 3_000

/** Opens the way to the collector, where there is one. What only that needs isn't loaded before. */
export async function openTracing(
  { settings, logger, version }: Pick<TelemetryParts, 'settings' | 'logger' | 'version'>,
  metrics: Metrics | undefined,
): Promise<GatewayTracing | undefined> {
  const { tracing: wanted } = settings.telemetry
  if (wanted === undefined) return undefined
  const { startOtlp } = await import('@tidegate/telemetry/otlp')
  const dropped = metrics?.counter('tidegate_spans_dropped_total', {
    help: 'Spans that never reached the collector.',
  })
  const { recorder, shutdown } = startOtlp({
    ...{ serviceName: 'tidegate', version, ...wanted.otlp },
    ...(metrics !== undefined && { metrics }),
    onLoss: countLosses(logger, dropped?.series()),
  })
  const close = (): Promise<void> => shutdown(FLUSH_MS)
  if (recorder === undefined) return { spans: undefined, close }
  const { sampleRatio, parent } = wanted
  const tracing = createTracing({ recorder, sampleRatio })
  const spans = { requests: requestSpans(tracing, parent), calls: attemptSpans(tracing) }
  return { spans, close }
}
