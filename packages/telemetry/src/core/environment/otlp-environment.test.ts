import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { otlpEnvironment } from './otlp-environment.ts'

const endpoint = 'http://collector:4318'

describe('otlpEnvironment', () => {
  it('is not enabled in an empty environment', () => {
    expect(otlpEnvironment({})).toEqual({
      enabled: false,
      otlp: { resource: {}, targets: { traces: {}, metrics: {} }, queue: {} },
      problems: [],
    })
  })

  it('reads everything', () => {
    const read = otlpEnvironment({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20a%3Db, x-team = core',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-token=t',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '500',
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none',
      OTEL_SERVICE_NAME: 'gate',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,service.version=2,region=eu%2C1',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
      OTEL_BSP_SCHEDULE_DELAY: '0',
      OTEL_METRIC_EXPORT_INTERVAL: '15000',
    })
    expect(read).toEqual({
      enabled: true,
      otlp: {
        endpoint,
        headers: { authorization: 'Bearer a=b', 'x-team': 'core' },
        timeoutMs: 2_000,
        compression: 'gzip',
        serviceName: 'gate',
        version: '2',
        resource: { region: 'eu,1' },
        targets: {
          traces: { url: 'https://traces.example/in', headers: { 'x-token': 't' } },
          metrics: { timeoutMs: 500, compression: 'none' },
        },
        queue: { max: 100, batch: 10, delayMs: 0 },
        metricIntervalMs: 15_000,
      },
      sampling: { sampleRatio: 0.01, respectParent: true },
      problems: [],
    })
  })

  it.each([
    ['always_on', undefined, { sampleRatio: 1, respectParent: false }],
    ['always_off', undefined, { sampleRatio: 0, respectParent: false }],
    ['traceidratio', '0.5', { sampleRatio: 0.5, respectParent: false }],
    ['traceidratio', undefined, { sampleRatio: 1, respectParent: false }],
    ['parentbased_always_on', undefined, { sampleRatio: 1, respectParent: true }],
    ['parentbased_always_off', undefined, { sampleRatio: 0, respectParent: true }],
  ])('reads the sampler %s with %s', (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, sampling) => {
    const read = otlpEnvironment({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG })
    expect(read).toMatchObject({ sampling, problems: [] })
  })

  it('is off where the SDK is disabled, or every signal goes nowhere', () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
    const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }
    expect(otlpEnvironment({ ...base, OTEL_SDK_DISABLED: 'TRUE' }).enabled).toBe(false)
    expect(otlpEnvironment({ ...base, OTEL_SDK_DISABLED: 'yes' }).enabled).toBe(true)
    expect(otlpEnvironment({ ...base, ...none }).enabled).toBe(false)
    expect(otlpEnvironment({ ...base, OTEL_TRACES_EXPORTER: 'none' })).toMatchObject({
      enabled: true,
      otlp: { targets: { traces: false } },
    })
    const own = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint }
    expect(otlpEnvironment(own).enabled).toBe(true)
  })

  it('takes a variable that is set to nothing as unset', () => {
    expect(otlpEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_TRACES_SAMPLER: '' })).toEqual(
      otlpEnvironment({}),
    )
  })

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'secret:4317'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'ftp://secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%0d%0ax: y'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10secret'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'secret'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'secret'],
    ['OTEL_TRACES_SAMPLER', 'secret'],
    ['OTEL_TRACES_EXPORTER', 'secret'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '1'],
  ])('leaves %s out when it is %s, and tells it without its value', (name, value) => {
    const { problems } = otlpEnvironment({ [name]: value })
    expect(problems).toEqual([expect.stringContaining(name)])
    expect(problems.join()).not.toContain('secret')
    const rest = { ...otlpEnvironment({ [name]: value }), problems: [] }
    expect(rest).toEqual(otlpEnvironment({}))
  })

  it('takes all traces when the ratio can not be', () => {
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }
    expect(otlpEnvironment(env)).toMatchObject({ sampling: { sampleRatio: 1 } })
    expect(otlpEnvironment(env).problems).toHaveLength(1)
  })

  it('never throws', () => {
    const names = fc.constantFrom(
      ...['ENDPOINT', 'HEADERS', 'TIMEOUT'].map((name) => `OTEL_EXPORTER_OTLP_${name}`),
      ...['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'],
    )
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (env) => {
        otlpEnvironment(env)
      }),
    )
  })
})
