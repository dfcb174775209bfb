import { startOtlpCollector } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { isTelemetryError } from '../core/errors.ts'
import { createMetrics } from '../core/metrics/metrics.ts'
import { serverEnding, serverSpan } from '../core/tracing/http-spans.ts'
import { createTracing } from '../core/tracing/tracing.ts'
import { type OtlpOptions, startOtlp } from './start-otlp.ts'

const service = { serviceName: 'gate', version: '1.2.3' }
const traceId = 'ab'.repeat(16)

describe('startOtlp', () => {
  it('delivers spans with their parents, attributes, events, status and resource', async () => {
    await using collector = await startOtlpCollector()
    const otlp = startOtlp({
      ...{ ...service, endpoint: `${collector.url}/`, headers: { 'x-key': 'secret' } },
      resource: { 'deployment.environment.name': 'test', 'service.name': 'loses' },
    })
    const tracing = createTracing({ recorder: otlp.recorder, respectParent: true })
    const came = serverSpan({ method: 'POST', path: '/v1/chat?key=secret', route: '/v1/**' })
    const request = tracing.begin(`00-${traceId}-1234567890123456-03`, 'vendor=1', came)
    const attempt = request.child('attempt', { kind: 'client', attributes: { tries: ['a', 'b'] } })
    attempt.event('first byte', { n: 1 })
    attempt.end({ error: 'ECONNRESET', message: 'after 3 events' })
    request.end(serverEnding(200))
    await otlp.shutdown()

    const server = await collector.waitForSpan(({ kind }) => kind === 'server')
    expect(server).toMatchObject({
      ...{ traceId, parentSpanId: '1234567890123456', spanId: request.spanId },
      ...{ name: 'POST /v1/**', traceState: 'vendor=1', links: [], scope: '@tidegate/telemetry' },
      status: { code: 'unset', message: '' },
      attributes: { 'url.path': '/v1/chat', 'http.response.status_code': 200 },
      resource: {
        ...{ 'service.name': 'gate', 'service.version': '1.2.3' },
        'deployment.environment.name': 'test',
      },
    })
    const client = await collector.waitForSpan(({ kind }) => kind === 'client')
    expect(client).toMatchObject({
      ...{ traceId, parentSpanId: request.spanId, spanId: attempt.spanId },
      status: { code: 'error', message: 'after 3 events' },
      attributes: { tries: ['a', 'b'], 'error.type': 'ECONNRESET' },
      events: [{ name: 'first byte', attributes: { n: 1 } }],
    })
    expect(client.startTimeUnixNano >= server.startTimeUnixNano).toBe(true)
    expect(client.endTimeUnixNano <= server.endTimeUnixNano).toBe(true)
    expect(collector.exports).toMatchObject([
      { path: '/v1/traces', headers: { 'x-key': 'secret' } },
    ])
    expect(collector.exports[0]?.body.includes('secret')).toBe(false)
  })

  it("links a trace that begins anew to its caller's, under the id it was sampled by", async () => {
    await using collector = await startOtlpCollector()
    const otlp = startOtlp({ ...service, endpoint: collector.url })
    const request = createTracing({ recorder: otlp.recorder }).begin(
      `00-${traceId}-1234567890123456-01`,
      'vendor=1',
    )
    request.end()
    await otlp.shutdown()
    expect(await collector.waitForSpan(() => true)).toMatchObject({
      ...{ traceId: request.traceId, parentSpanId: undefined, traceState: '' },
      links: [{ traceId, spanId: '1234567890123456', traceState: 'vendor=1' }],
    })
  })

  it('compresses, sends each signal where it belongs, and metrics with their totals', async () => {
    await using collector = await startOtlpCollector()
    const metrics = createMetrics()
    metrics.counter('tidegate_things_total', { help: 'Things.' }).series().add(3)
    const otlp = startOtlp({
      ...{ ...service, metrics, compression: 'gzip', headers: { 'x-all': '1' } },
      targets: {
        traces: { url: `${collector.url}/v1/traces`, headers: { 'x-traces': '2' } },
        metrics: { url: `${collector.url}/v1/metrics`, compression: 'none' },
      },
    })
    createTracing({ recorder: otlp.recorder }).begin(undefined, undefined).end()
    await otlp.flush()
    const things = await collector.waitForMetric(({ name }) => name.includes('things'))
    expect(things).toMatchObject({ type: 'sum', temporality: 'cumulative', isMonotonic: true })
    expect(things.points).toMatchObject([{ value: 3 }])
    expect(things.resource).toMatchObject({ 'service.name': 'gate' })
    const headersOf = (path: string): unknown =>
      collector.exports.find((received) => received.path === path)?.headers
    expect(headersOf('/v1/traces')).toMatchObject({
      ...{ 'x-all': '1', 'x-traces': '2', 'content-encoding': 'gzip' },
    })
    expect(headersOf('/v1/metrics')).not.toHaveProperty('content-encoding')
    await otlp.shutdown()
  })

  it('sends only what has a target', async () => {
    await using collector = await startOtlpCollector()
    const metrics = createMetrics()
    const { url: endpoint } = collector
    const otlp = startOtlp({ ...service, endpoint, metrics, targets: { traces: false } })
    expect(otlp.recorder).toBeUndefined()
    expect(otlp.tracer).toBeUndefined()
    await otlp.shutdown()
    expect(collector.exports.map(({ path }) => path)).toEqual(['/v1/metrics'])
    const nothing = startOtlp({ ...service, metrics })
    await nothing.flush()
    await nothing.shutdown()
  })

  it('ignores what comes after its end', async () => {
    await using collector = await startOtlpCollector()
    const otlp = startOtlp({ ...service, endpoint: collector.url, metrics: createMetrics() })
    const tracing = createTracing({ recorder: otlp.recorder })
    const open = tracing.begin(undefined, undefined)
    await Promise.all([otlp.shutdown(), otlp.shutdown()])
    open.end()
    tracing.begin(undefined, undefined).end()
    await otlp.flush()
    await otlp.shutdown()
    expect(collector.spans).toEqual([])
  })

  const impossible: readonly (readonly [what: string, options: Partial<OtlpOptions>])[] = [
    ['an endpoint that is no URL', { endpoint: 'secret:4318' }],
    ['an endpoint of another protocol', { endpoint: 'grpc://secret' }],
    ['a header name that HTTP refuses', { endpoint: 'http://c', headers: { 'a b': 'secret' } }],
    ['a header value that HTTP refuses', { endpoint: 'http://c', headers: { a: 'secret\r\n' } }],
    ['a timeout of nothing', { endpoint: 'http://c', timeoutMs: 0 }],
    ['a queue of nothing', { endpoint: 'http://c', queue: { max: 0 } }],
    ['batches beyond the queue', { endpoint: 'http://c', queue: { max: 10, batch: 11 } }],
    ['metrics without a pause', { endpoint: 'http://c', metricIntervalMs: 0 }],
  ]

  it.each(impossible)('refuses %s, telling no value', (_what, options) => {
    const start = (): unknown => startOtlp({ ...service, ...options })
    expect(start).toThrow(expect.toSatisfy(isTelemetryError))
    expect(start).not.toThrow(/secret/)
  })
})
