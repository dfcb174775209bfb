import {
  genAiOperationDuration,
  genAiTimeToFirstChunk,
  genAiTokenUsage,
  type Metrics,
} from '@tidegate/telemetry'

export type Instruments = ReturnType<typeof declareInstruments>

/** Requests, attempts and models: what is recorded as it happens. Everything else is read for a scrape. */
export function declareInstruments(registry: Metrics) {
  return { ...requestInstruments(registry), ...callInstruments(registry), ...genAi(registry) }
}

function requestInstruments(registry: Metrics) {
  return {
    requestDuration: registry.histogram('http_server_request_duration_seconds', {
      help: "From a request's arrival to the end of its answer.",
      unit: 'seconds',
      labels: ['http_request_method', 'http_route', 'http_response_status_code', 'error_type'],
      maxSeries: 2_000,
    }),
    requests: registry.counter('tidegate_requests_total', {
      help: 'Requests on routes by how they ended; those that no route matches have none.',
      labels: ['http_route', 'tidegate_upstream', 'tidegate_tier', 'outcome'],
      maxSeries: 5_000,
    }),
    overhead: registry.histogram('tidegate_gateway_overhead_seconds', {
      help: "What of the time to an answer's head is neither upstreams', the client's, nor waiting.",
      unit: 'seconds',
      labels: ['http_route'],
      buckets: [
        ...[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05],
        ...[0.1, 0.25, 0.5, 1, 2.5],
      ],
    }),
    streamEnds: registry.counter('tidegate_stream_ends_total', {
      help: 'Event streams to clients by how they ended.',
      labels: ['http_route', 'outcome'],
    }),
    authFailures: registry.counter('tidegate_auth_failures_total', {
      help: 'Refused credentials by reason; those of operators begin with admin_.',
      labels: ['reason'],
    }),
  }
}

function callInstruments(registry: Metrics) {
  return {
    attemptDuration: registry.histogram('http_client_request_duration_seconds', {
      help: "An attempt at an upstream, to the end of its answer's body.",
      unit: 'seconds',
      labels: ['tidegate_upstream', 'server_address', 'http_response_status_code', 'error_type'],
      maxSeries: 2_000,
    }),
    attempts: registry.counter('tidegate_upstream_attempts_total', {
      help: 'Attempts at upstreams by why they were made.',
      labels: ['tidegate_upstream', 'kind'],
    }),
  }
}

function genAi(registry: Metrics) {
  return {
    tokens: registry.histogram(genAiTokenUsage.name, genAiTokenUsage),
    operationDuration: registry.histogram(genAiOperationDuration.name, genAiOperationDuration),
    firstChunk: registry.histogram(genAiTimeToFirstChunk.name, genAiTimeToFirstChunk),
    cost: registry.counter('tidegate_cost_usd_total', {
      help: 'What reported tokens cost by the configured prices, in US dollars.',
      labels: ['gen_ai_request_model'],
    }),
  }
}
