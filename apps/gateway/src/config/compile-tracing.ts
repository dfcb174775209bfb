import { otlpEnvironment } from '@tidegate/telemetry/tracing'
import type { OtelVariables } from './otel-variables.ts'
import type { GatewayConfig } from './schema/gateway.ts'
import type { TracingSettings } from './tracing-settings.ts'

/**
 * What the configuration and OpenTelemetry's own variables say together, the variables above the
 * configuration. `undefined`: there is no collector, or all of it is switched off.
 */
export function compileTracing(
  { endpoint, headers, sample, parent }: GatewayConfig['telemetry']['tracing'],
  variables: OtelVariables,
): TracingSettings | undefined {
  const read = otlpEnvironment({ ...variables, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
  if (!read.enabled) return undefined
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])
  return {
    sampleRatio: read.sampling?.sampleRatio ?? sample,
    // A sampler that goes by the parent doesn't say by whose: anybody's would be a way in for anybody.
    parent: read.sampling?.respectParent === false ? 'never' : parent,
    otlp: { ...read.otlp, headers: { ...Object.fromEntries(own), ...read.otlp.headers } },
  }
}
