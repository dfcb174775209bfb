import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../core/metrics/metrics.ts'
import { metricProducer } from './metric-producer.ts'

function example(): ReturnType<typeof createMetrics> {
  const metrics = createMetrics({ now: () => 1_500 })
  const duration = metrics.histogram('http_server_request_duration_seconds', {
    help: 'How long.',
    unit: 'seconds',
    labels: ['http_route', 'http_response_status_code', 'error_type'],
    buckets: [0.1, 1],
  })
  for (const value of [0.05, 0.5, 3]) duration.series('/v1/**', '200', '').record(value)
  metrics.upDownCounter('http_server_active_requests', { help: 'Now.' }).series().set(-2)
  metrics.gauge('tidegate_redis_up', { help: 'Up.' }).series().set(1)
  metrics.counter('tidegate_cost_usd_total', { help: 'Cost.', unit: 'usd' }).series().add(0.25)
  return metrics
}

describe('metricProducer', () => {
  it('gives a reader of the SDK what was recorded, cumulative and with the real buckets', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const producer = metricProducer(example(), {
      scope: { name: 'tidegate', version: '1.2.3' },
      now: () => 2_000,
    })
    const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] })
    const resource = resourceFromAttributes({ 'service.name': 'gateway' })
    const provider = new MeterProvider({ readers: [reader], resource })
    await provider.forceFlush()
    await provider.shutdown()

    const [exported] = exporter.getMetrics()
    expect(exported?.resource.attributes['service.name']).toBe('gateway')
    const scope = exported?.scopeMetrics.find((one) => one.scope.name === 'tidegate')
    const found = Object.fromEntries(
      (scope?.metrics ?? []).map((metric) => [metric.descriptor.name, metric]),
    )
    expect(found['http.server.request.duration']).toMatchObject({
      descriptor: { unit: 's', description: 'How long.' },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [
        {
          attributes: { 'http.route': '/v1/**', 'http.response.status_code': 200 },
          startTime: [1, 500_000_000],
          endTime: [2, 0],
          value: { count: 3, sum: 3.55, buckets: { boundaries: [0.1, 1], counts: [1, 1, 1] } },
        },
      ],
    })
    expect(found['http.server.active_requests']).toMatchObject({
      isMonotonic: false,
      dataPoints: [{ value: -2 }],
    })
    expect(found.tidegate_cost_usd_total).toMatchObject({
      descriptor: { unit: '{usd}' },
      isMonotonic: true,
      dataPoints: [{ value: 0.25 }],
    })
    expect(found.tidegate_redis_up).not.toHaveProperty('isMonotonic')
  })

  it('can be written as protobuf', async () => {
    const { resourceMetrics, errors } = await metricProducer(example()).collect()
    expect(errors).toEqual([])
    const bytes = ProtobufMetricsSerializer.serializeRequest(resourceMetrics)
    expect(Buffer.from(bytes ?? []).includes('http.server.request.duration')).toBe(true)
  })
})
