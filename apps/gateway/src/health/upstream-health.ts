import type { Endpoint } from '../upstreams/endpoint.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { refusesStreamOptions } from '../usage/usage-question.ts'
import type { Component } from './component.ts'
import { isoOrNull } from './iso.ts'

/** Told from real traffic: the gateway sends nothing of its own to a paid model. */
export function upstreamHealth({
  protocol,
  endpoints,
  bulkhead,
  budget,
  demo,
}: Upstream): Component {
  const each = endpoints.map(endpointHealth)
  const good = each.filter(({ status }) => status === 'healthy').length
  const all = endpoints.map(({ traffic }) => traffic)
  const last = all.reduce((one, other) => (other.lastFailureAt > one.lastFailureAt ? other : one))
  return {
    status: good === each.length ? 'healthy' : good > 0 ? 'degraded' : 'unhealthy',
    checked_at: isoOrNull(
      Math.max(...all.map((one) => Math.max(one.lastAnswerAt, one.lastFailureAt))),
    ),
    protocol,
    demo,
    pending: bulkhead.active,
    queued: bulkhead.queued,
    retry_budget: Math.floor(budget.balance),
    attempts: sum(all.map(({ attempts }) => attempts)),
    answered: sum(all.map(({ answered }) => answered)),
    failed: sum(all.map(({ failed }) => failed)),
    last_failure_at: isoOrNull(last.lastFailureAt),
    last_failure: last.lastFailure ?? null,
    endpoints: each,
  }
}

function endpointHealth(endpoint: Endpoint) {
  const { label, url, weight, pending, breaker, latency, traffic } = endpoint
  const failing = traffic.lastFailureAt > traffic.lastAnswerAt
  const state = breaker?.state ?? 'off'
  return {
    name: label,
    status: failing || state === 'open' || state === 'half-open' ? 'degraded' : 'healthy',
    endpoint: url.host,
    weight,
    pending,
    breaker: state,
    ...(state === 'open' && { probe_in_ms: Math.ceil(breaker?.retryAfterMs ?? 0) }),
    attempts: traffic.attempts,
    answered: traffic.answered,
    failed: traffic.failed,
    malformed_events: traffic.malformedEvents,
    ...(refusesStreamOptions(endpoint) && { refuses_stream_options: true }),
    latency_ms: percentiles(latency),
    last_answer_at: isoOrNull(traffic.lastAnswerAt),
    last_failure_at: isoOrNull(traffic.lastFailureAt),
    last_failure: traffic.lastFailure ?? null,
  }
}

/** Times to the answer's first byte; `null` while there are too few of them. */
function percentiles(latency: Endpoint['latency']): object {
  const at = (quantile: number): number | null => {
    const ms = latency.value(quantile)
    return ms === undefined ? null : Math.round(ms * 10) / 10
  }
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
