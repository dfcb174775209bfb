import { ValueType } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { HistogramFamily, MetricFamily, NumberFamily } from '../core/metrics/family.ts'
import type { Metrics } from '../core/metrics/metrics.ts'
import { otelAttributes, otelMetric } from '../core/names/otel.ts'

/** How the producer presents itself. */
export interface MetricProducerOptions {
  /** The instrumentation scope. Default: `@tidegate/telemetry`. */
  readonly scope?: { readonly name: string; readonly version?: string }
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

type HrTime = [seconds: number, nanoseconds: number]

/**
 * Lets a reader of OpenTelemetry's SDK export our metrics: give it in `metricProducers` of the reader.
 * Totals are cumulative since each series began, histograms have their real buckets, and metrics and
 * labels that the semantic conventions know have their names there.
 */
export function metricProducer(
  metrics: Pick<Metrics, 'snapshot'>,
  { scope = { name: '@tidegate/telemetry' }, now = Date.now }: MetricProducerOptions = {},
): MetricProducer {
  return {
    async collect(): Promise<CollectionResult> {
      const endTime = hrTime(now())
      const data = metrics.snapshot().map((family) => metricData(family, endTime))
      return {
        resourceMetrics: {
          resource: emptyResource(),
          scopeMetrics: [{ scope, metrics: data }],
        },
        errors: [],
      }
    },
  }
}

function metricData(family: MetricFamily, endTime: HrTime): MetricData {
  const common = {
    descriptor: { ...otelMetric(family), description: family.help, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  if (family.type === 'histogram') {
    const dataPoints = histogramPoints(family, endTime)
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
  const dataPoints = numberPoints(family, endTime)
  if (family.type === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints }
  const isMonotonic = family.type === 'counter'
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic, dataPoints }
}

function numberPoints({ labels, points }: NumberFamily, endTime: HrTime): DataPoint<number>[] {
  return points.map((point) => ({
    startTime: hrTime(point.createdAt),
    endTime,
    attributes: otelAttributes(labels, point.labels),
    value: point.value,
  }))
}

function histogramPoints(family: HistogramFamily, endTime: HrTime): DataPoint<Histogram>[] {
  return family.points.map((point) => ({
    startTime: hrTime(point.createdAt),
    endTime,
    attributes: otelAttributes(family.labels, point.labels),
    value: {
      buckets: { boundaries: [...family.bounds], counts: [...point.buckets] },
      count: point.count,
      sum: point.sum,
    },
  }))
}

function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000)
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1_000_000)]
}
