import { describe, expect, it } from 'vitest'
import { check, type Env, file, problemsOf, settingsOf, warningsOf } from './check.fixture.ts'
import type { TracingSettings } from './tracing-settings.ts'

async function tracing(yaml: string, env: Env = {}): Promise<TracingSettings | undefined> {
  const top = yaml === '' ? '' : `telemetry: { tracing: { ${yaml} } }`
  return settingsOf(await check(file({ top }), env)).telemetry.tracing
}

const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318'

describe('telemetry.tracing', () => {
  it('is off without a collector, whatever else is set', async () => {
    expect(await tracing('')).toBeUndefined()
    expect(await tracing('sample: 50%', { OTEL_SERVICE_NAME: 'edge' })).toBeUndefined()
  })

  it('records one trace in a hundred, and goes on with those of trusted proxies', async () => {
    expect(await tracing('endpoint: "http://collector:4318"')).toMatchObject({
      sampleRatio: 0.01,
      parent: 'trusted',
      otlp: { endpoint: 'http://collector:4318', headers: {} },
    })
  })

  it('takes the environment before the file, and puts headers together', async () => {
    const yaml =
      'endpoint: "http://other:4318", sample: 5%, headers: { X-Key: "a b", X-Team: file }'
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=env',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
      OTEL_SERVICE_NAME: 'edge',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod',
    }
    expect(await tracing(yaml, env)).toMatchObject({
      sampleRatio: 0.5,
      // Not everybody's: a sampler doesn't say whose.
      parent: 'trusted',
      otlp: {
        endpoint: OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: { 'x-key': 'a b', 'x-team': 'env' },
        serviceName: 'edge',
        resource: { 'deployment.environment': 'prod' },
      },
    })
  })

  it('begins every trace anew with a sampler that ignores parents', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER: 'always_on' }
    expect(await tracing('parent: always', env)).toMatchObject({ sampleRatio: 1, parent: 'never' })
  })

  it('is switched off by the environment', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' }
    expect(await tracing('', env)).toBeUndefined()
    const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }
    expect(await tracing('', { OTEL_EXPORTER_OTLP_ENDPOINT, ...none })).toBeUndefined()
  })

  it('refuses an endpoint that is none', async () => {
    const checked = await check(file(), { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })
    expect(problemsOf(checked).join()).toContain('OTEL_EXPORTER_OTLP_ENDPOINT')
  })

  it('refuses headers that can not be sent, without showing them', async () => {
    const top = 'telemetry: { tracing: { headers: { "no name": x, ok: "CANARY\\n" } } }'
    const problems = problemsOf(await check(file({ top })))
    expect(problems).toHaveLength(2)
    expect(problems.join()).toContain('not allowed: expected the name of a header')
    expect(problems.join()).not.toContain('CANARY')
  })

  it('starts without what else it can not read, and says so', async () => {
    const checked = await check(file(), {
      OTEL_EXPORTER_OTLP_ENDPOINT,
      OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
      OTEL_EXPORTER_OTLP_HEADERS: 'CANARY',
    })
    expect(settingsOf(checked).telemetry.tracing).toBeDefined()
    const warnings = warningsOf(checked)
    expect(warnings).toHaveLength(2)
    expect(warnings.join()).toMatch(/OTEL_EXPORTER_OTLP_TIMEOUT.*is left out/)
    expect(warnings.join()).not.toContain('CANARY')
  })
})
