import type { MetricFamily } from '../metrics/family.ts'
import { genAiAttributes } from './gen-ai.ts'

/** What OpenTelemetry calls a metric. */
export interface OtelMetric {
  readonly name: string
  /** As in UCUM: `s`, `By`, `{token}`. */
  readonly unit: string
}

const conventions: ReadonlyMap<string, OtelMetric> = new Map([
  ['http_server_request_duration_seconds', { name: 'http.server.request.duration', unit: 's' }],
  ['http_server_active_requests', { name: 'http.server.active_requests', unit: '{request}' }],
  ['http_client_request_duration_seconds', { name: 'http.client.request.duration', unit: 's' }],
  ['gen_ai_client_token_usage', { name: 'gen_ai.client.token.usage', unit: '{token}' }],
  [
    'gen_ai_client_operation_duration_seconds',
    { name: 'gen_ai.client.operation.duration', unit: 's' },
  ],
  [
    'gen_ai_client_operation_time_to_first_chunk_seconds',
    { name: 'gen_ai.client.operation.time_to_first_chunk', unit: 's' },
  ],
])

const units: ReadonlyMap<string, string> = new Map([
  ['seconds', 's'],
  ['bytes', 'By'],
  ['ratio', '1'],
])

const attributes: ReadonlyMap<string, string> = new Map(
  [
    ...Object.values(genAiAttributes),
    'error.type',
    'http.request.method',
    'http.response.status_code',
    'http.route',
    'network.protocol.version',
    'server.address',
    'server.port',
    'tidegate.tier',
    'tidegate.upstream',
    'url.scheme',
  ].map((name) => [name.replaceAll('.', '_'), name]),
)

const numeric: ReadonlySet<string> = new Set(['http.response.status_code', 'server.port'])

/**
 * The conventions' name and unit where they have the metric. Any other keeps its name, as the specification
 * asks of what comes from Prometheus.
 */
export function otelMetric({ name, unit }: Pick<MetricFamily, 'name' | 'unit'>): OtelMetric {
  const known = conventions.get(name)
  if (known !== undefined) return known
  return { name, unit: unit === undefined ? '' : (units.get(unit) ?? `{${unit}}`) }
}

/** The attributes of a series. A label that is empty, which to Prometheus is one that isn't there, is left out. */
export function otelAttributes(
  labels: readonly string[],
  values: readonly string[],
): Record<string, string | number> {
  const result: Record<string, string | number> = {}
  for (const [index, label] of labels.entries()) {
    const value = values[index] ?? ''
    const name = attributes.get(label) ?? label
    if (value !== '')
      result[name] = numeric.has(name) && /^\d+$/.test(value) ? Number(value) : value
  }
  return result
}
