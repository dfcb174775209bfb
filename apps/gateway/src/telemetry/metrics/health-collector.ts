import type { HealthStatus } from '@tidegate/health'
import type { Metrics } from '@tidegate/telemetry'
import type { GatewayHealth } from '../../health/open.ts'

const STATUSES: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy']

/** How components stand, and how many requests were refused for the others' sake. */
export function collectHealth(
  registry: Metrics,
  { snapshot, shedding }: Pick<GatewayHealth, 'snapshot' | 'shedding'>,
): void {
  const standing = registry.gauge('tidegate_health_status', {
    help: 'How a component stands: 1 for its status, 0 for the others.',
    labels: ['component', 'status'],
  })
  registry.observe([standing], () => {
    for (const [component, known] of snapshot()) {
      for (const status of STATUSES)
        standing.series(component, status).set(Number(status === known))
    }
  })
  if (shedding === undefined) return
  const shed = registry.counter('tidegate_requests_shed_total', {
    help: 'Requests refused because the process had too much to do.',
    labels: ['reason'],
  })
  // Without a zero before it, nobody could tell the first refusals from a gateway that began anew.
  for (const reason of ['event_loop_delay', 'event_loop_utilization']) shed.series(reason).raise(0)
  registry.observe([], () => {
    for (const [reason, count] of shedding.counts) shed.series(reason).raise(count)
  })
}
