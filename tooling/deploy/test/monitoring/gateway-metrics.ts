/** The series of the gateway's `/metrics` and their labels. A histogram is written with its three suffixes below. */
const histograms: Readonly<Record<string, readonly string[]>> = {
  http_server_request_duration_seconds: [
    'http_request_method',
    'http_route',
    'http_response_status_code',
    'error_type',
  ],
  http_client_request_duration_seconds: [
    'tidegate_upstream',
    'server_address',
    'http_response_status_code',
    'error_type',
  ],
  tidegate_gateway_overhead_seconds: ['http_route'],
  gen_ai_client_token_usage: [
    'gen_ai_operation_name',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_token_type',
  ],
  gen_ai_client_operation_duration_seconds: [
    'gen_ai_operation_name',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'error_type',
  ],
  gen_ai_client_operation_time_to_first_chunk_seconds: [
    'gen_ai_operation_name',
    'gen_ai_provider_name',
    'gen_ai_request_model',
  ],
}

const others: Readonly<Record<string, readonly string[]>> = {
  http_server_active_requests: [],
  tidegate_requests_total: ['http_route', 'tidegate_upstream', 'tidegate_tier', 'outcome'],
  tidegate_client_requests_total: ['tidegate_client'],
  tidegate_stream_ends_total: ['http_route', 'outcome'],
  tidegate_streams_active: [],
  tidegate_upstream_attempts_total: ['tidegate_upstream', 'kind'],
  tidegate_breaker_state: ['tidegate_upstream', 'server_address', 'state'],
  tidegate_breaker_transitions_total: ['tidegate_upstream', 'to'],
  tidegate_upstream_active_requests: ['tidegate_upstream'],
  tidegate_upstream_queued_requests: ['tidegate_upstream'],
  tidegate_limit_decisions_total: ['policy', 'outcome'],
  tidegate_auth_failures_total: ['reason'],
  tidegate_cache_requests_total: ['http_route', 'result'],
  tidegate_cache_entries: [],
  tidegate_cache_bytes: [],
  tidegate_cost_usd_total: ['gen_ai_request_model'],
  tidegate_redis_up: [],
  tidegate_redis_memory_used_bytes: [],
  tidegate_redis_memory_max_bytes: [],
  tidegate_health_status: ['component', 'status'],
  tidegate_anomalies_total: ['metric'],
  tidegate_anomaly_active: ['metric'],
  tidegate_requests_shed_total: ['reason'],
  tidegate_spans_dropped_total: [],
  tidegate_metric_series_dropped_total: ['metric'],
  tidegate_metric_values_dropped_total: ['metric'],
  tidegate_metric_read_failures_total: [],
  tidegate_build_info: ['version'],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  process_start_time_seconds: [],
  process_open_fds: [],
  nodejs_eventloop_delay_p50_seconds: [],
  nodejs_eventloop_delay_p99_seconds: [],
  nodejs_eventloop_delay_max_seconds: [],
  nodejs_eventloop_utilization_ratio: [],
  system_memory_limit_bytes: [],
  system_disk_free_bytes: [],
  system_disk_size_bytes: [],
  system_network_connections: [],
}

/** Labels by the name of the series, without those that Prometheus adds. */
export type SeriesLabels = ReadonlyMap<string, readonly string[]>

/** What a gateway exposes, series by series. */
export const gatewaySeries: SeriesLabels = new Map([
  ...Object.entries(others),
  ...Object.entries(histograms).flatMap(([name, labels]): [string, readonly string[]][] => [
    [`${name}_bucket`, [...labels, 'le']],
    [`${name}_sum`, labels],
    [`${name}_count`, labels],
  ]),
])

/** What a scrape of a gateway holds that isn't told of above: series, and labels of series. */
export function strangersIn(exposition: string): readonly string[] {
  const found = new Set<string>()
  for (const line of exposition.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? []
    if (name === undefined) continue
    const known = gatewaySeries.get(name)
    if (known === undefined) found.add(`${name} is not in gateway-metrics.ts`)
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) {
      if (known === undefined || known.includes(label)) continue
      found.add(`${name} has the label ${label}, of which gateway-metrics.ts knows nothing`)
    }
  }
  return [...found]
}
