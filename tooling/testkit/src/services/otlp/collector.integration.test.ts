import { gzipSync } from 'node:zlib'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { type OtlpCollector, startOtlpCollector } from './collector.ts'

const resource = resourceFromAttributes({ 'service.name': 'tide' })

/** Two spans, encoded by OpenTelemetry itself. */
async function someSpans(): Promise<Uint8Array> {
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [new SimpleSpanProcessor({ exporter })]
  const provider = new TracerProvider({ resource, spanProcessors })
  const tracer = provider.getTracer('test')
  const parent = tracer.startSpan('GET /v1/models', { kind: SpanKind.SERVER })
  const inside = trace.setSpan(context.active(), parent)
  const child = tracer.startSpan('attempt', { kind: SpanKind.CLIENT }, inside)
  child.setAttributes({ text: 'high', whole: -7, half: 0.5, yes: true, list: ['a', 'b'] })
  child.addEvent('first byte', { bytes: 3 })
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'broke off' })
  child.end()
  parent.end()
  await provider.forceFlush()
  return ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans()) ?? new Uint8Array()
}

/** A counter, a gauge and a histogram, encoded by OpenTelemetry itself. */
async function someMetrics(): Promise<Uint8Array> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ resource, readers: [reader] })
  const meter = provider.getMeter('test')
  meter.createCounter('requests', { unit: '{request}' }).add(3, { route: '/v1/**' })
  meter.createGauge('open').record(1.5)
  const advice = { explicitBucketBoundaries: [0.1, 1] }
  const histogram = meter.createHistogram('duration', { unit: 's', advice })
  for (const value of [0.05, 0.5, 0.5, 5]) histogram.record(value)
  await provider.forceFlush()
  const [exported] = exporter.getMetrics()
  if (exported === undefined) throw new Error('nothing was exported')
  await provider.shutdown()
  return ProtobufMetricsSerializer.serializeRequest(exported) ?? new Uint8Array()
}

async function send(
  collector: OtlpCollector,
  path: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${collector.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: Buffer.from(body),
    signal: AbortSignal.timeout(5_000),
  })
}

describe('startOtlpCollector', () => {
  it('decodes spans with parentage, attributes, events and status', async () => {
    await using collector = await startOtlpCollector()
    expect((await send(collector, '/v1/traces', await someSpans())).status).toBe(200)
    const parent = await collector.waitForSpan(({ kind }) => kind === 'server')
    const child = await collector.waitForSpan(({ name }) => name === 'attempt')
    expect(parent).toMatchObject({ name: 'GET /v1/models', parentSpanId: undefined })
    expect(child).toMatchObject({
      ...{ traceId: parent.traceId, parentSpanId: parent.spanId, kind: 'client', scope: 'test' },
      attributes: { text: 'high', whole: -7, half: 0.5, yes: true, list: ['a', 'b'] },
      events: [{ name: 'first byte', attributes: { bytes: 3 } }],
      status: { code: 'error', message: 'broke off' },
      resource: { 'service.name': 'tide' },
    })
    expect(child.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(child.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(child.endTimeUnixNano).toBeGreaterThanOrEqual(child.startTimeUnixNano)
  })

  it('decodes sums, gauges and histograms', async () => {
    await using collector = await startOtlpCollector()
    const body = gzipSync(await someMetrics())
    await send(collector, '/v1/metrics', body, { 'content-encoding': 'gzip' })
    expect(await collector.waitForMetric(({ name }) => name === 'requests')).toMatchObject({
      ...{ type: 'sum', unit: '{request}', temporality: 'cumulative', isMonotonic: true },
      points: [{ value: 3, attributes: { route: '/v1/**' } }],
      resource: { 'service.name': 'tide' },
    })
    expect(await collector.waitForMetric(({ name }) => name === 'open')).toMatchObject({
      type: 'gauge',
      points: [{ value: 1.5 }],
    })
    expect(await collector.waitForMetric(({ type }) => type === 'histogram')).toMatchObject({
      ...{ name: 'duration', unit: 's' },
      points: [{ count: 4, sum: 6.05, bucketCounts: [1, 2, 1], bounds: [0.1, 1] }],
    })
  })

  it('fails, hangs, goes away and comes back, and keeps what it was sent', async () => {
    await using collector = await startOtlpCollector()
    const spans = await someSpans()
    const post = async () => await send(collector, '/v1/traces', spans, { 'x-tenant': 'tide' })
    await collector.behave({ status: 503, retryAfterSeconds: 7 })
    const failed = await post()
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '7'])
    await collector.behave('hang')
    const unanswered = post()
    const isSecond = () => collector.exports.length === 2
    expect((await collector.waitForExport(isSecond)).headers['x-tenant']).toBe('tide')
    await collector.behave('refuse')
    await expect(unanswered).rejects.toThrow('fetch failed')
    await expect(post()).rejects.toThrow('fetch failed')
    expect(collector.spans).toEqual([])
    await collector.behave('up')
    expect((await post()).status).toBe(200)
    expect(collector.spans).toHaveLength(2)
  })

  it('refuses what is not OTLP in protobuf', async () => {
    await using collector = await startOtlpCollector()
    const cutOff = (await someSpans()).subarray(0, 20)
    expect((await send(collector, '/v1/traces', cutOff)).status).toBe(400)
    expect((await send(collector, '/v1/logs', new Uint8Array())).status).toBe(404)
    const json = { 'content-type': 'application/json' }
    expect((await send(collector, '/v1/traces', Buffer.from('{}'), json)).status).toBe(415)
  })
})
