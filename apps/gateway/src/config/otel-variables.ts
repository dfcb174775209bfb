import { defineConfig, type Finding } from '@tidegate/config'
import { otlpEnvironment } from '@tidegate/telemetry/tracing'
import { z } from 'zod'
import { textVariables } from './text-variables.ts'

const ofTarget = ['HEADERS', 'TIMEOUT', 'COMPRESSION', 'PROTOCOL']

/** OpenTelemetry's own variables, besides the endpoint's, which is a key of files as well. */
export const OTEL_VARIABLES: readonly string[] = [
  ...['OTEL_SDK_DISABLED', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'],
  ...['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'],
  ...ofTarget.map((name) => `OTEL_EXPORTER_OTLP_${name}`),
  ...['TRACES', 'METRICS'].flatMap((signal) => [
    `OTEL_${signal}_EXPORTER`,
    ...['ENDPOINT', ...ofTarget].map((name) => `OTEL_EXPORTER_OTLP_${signal}_${name}`),
  ]),
  ...['OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BSP_SCHEDULE_DELAY'],
  ...['OTEL_METRIC_EXPORT_INTERVAL'],
]

/** What they are set to, by their names. */
export type OtelVariables = Readonly<Record<string, string | undefined>>

const otel = textVariables(OTEL_VARIABLES, 'As OpenTelemetry says.')

/** Their values are judged leniently: telemetry is no reason for a gateway not to start. */
export const otelDefinition = defineConfig({
  name: 'tidegate',
  schema: z.strictObject({ otel }),
  refine: ({ otel: variables }): readonly Finding[] =>
    otlpEnvironment(variables).problems.map((problem) => {
      const [name = '', ...rest] = problem.split(' ')
      const message = rest.join(' ').replace(/\.$/, '')
      return { path: ['otel', name], severity: 'warning', message }
    }),
})
