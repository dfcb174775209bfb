import { z } from 'zod'
import { field } from '../core/field.ts'
import { boolean, choice } from '../fields/choices.ts'
import { httpUrl } from '../fields/texts.ts'

/** What a running program tells of itself. */
export const monitoringSection = z.strictObject({
  logLevel: field(choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).prefault('info'), {
    env: 'LOG_LEVEL',
    description: 'The least level that is logged.',
    profiles: { development: 'debug' },
  }),
  debug: field(boolean().prefault(false), {
    env: 'DEBUG',
    description: 'Give details that help while developing. Never in production.',
  }),
  metrics: field(boolean().prefault(true), {
    env: 'METRICS_ENABLED',
    description: 'Measure, and serve what was measured.',
  }),
  tracing: field(boolean().prefault(false), {
    env: 'TRACING_ENABLED',
    description: 'Record traces and send them to the collector.',
  }),
  healthChecks: field(boolean().prefault(true), {
    env: 'HEALTH_CHECKS_ENABLED',
    description: 'Check dependencies in the background.',
  }),
  otlpEndpoint: field(httpUrl().optional(), {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    description: 'The OpenTelemetry collector.',
    example: 'http://localhost:4318',
  }),
})
