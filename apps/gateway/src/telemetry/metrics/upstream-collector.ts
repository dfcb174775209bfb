import type { Metrics } from '@tidegate/telemetry'
import type { Upstream } from '../../upstreams/upstream.ts'

const STATES = ['closed', 'half-open', 'open'] as const

/** Breakers, and how busy upstreams are: read for a scrape. */
export function collectUpstreams(registry: Metrics, upstreams: readonly Upstream[]): void {
  const state = registry.gauge('tidegate_breaker_state', {
    help: 'Whether the breaker of an endpoint is in this state: 1 or 0.',
    labels: ['tidegate_upstream', 'server_address', 'state'],
  })
  const turns = registry.counter('tidegate_breaker_transitions_total', {
    help: "How often breakers came to a state, all of an upstream's endpoints together.",
    labels: ['tidegate_upstream', 'to'],
  })
  const active = registry.upDownCounter('tidegate_upstream_active_requests', {
    help: 'Attempts under way.',
    labels: ['tidegate_upstream'],
  })
  const queued = registry.upDownCounter('tidegate_upstream_queued_requests', {
    help: 'Requests that wait for a place on an upstream.',
    labels: ['tidegate_upstream'],
  })
  registry.observe([state, active, queued], () => {
    for (const { name, endpoints, bulkhead } of upstreams) {
      active.series(name).set(sum(endpoints, ({ pending }) => pending))
      queued.series(name).set(bulkhead.queued)
      for (const { breaker, url } of endpoints) {
        if (breaker === undefined) continue
        for (const each of STATES) {
          state.series(name, url.host, each).set(breaker.state === each ? 1 : 0)
        }
      }
      for (const to of STATES) {
        if (endpoints.every(({ breaker }) => breaker === undefined)) continue
        turns.series(name, to).raise(sum(endpoints, ({ breakerTurns }) => breakerTurns[to]))
      }
    }
  })
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0)
}
