import type { SystemMetrics } from '@tidegate/health'
import type { Counter } from '@tidegate/telemetry'
import { total } from '../../cache/route-counts.ts'
import type { TelemetryParts } from '../open.ts'
import type { GatewayMetrics } from './open.ts'

/** What `GET /metrics` tells as JSON: what matters, summed up. Counted since the gateway was started. */
export function metricsReport(metrics: GatewayMetrics, parts: TelemetryParts): object {
  const { instruments, requests, summaries, system } = metrics
  const { version, settings, limits, answers } = parts
  const hasPrices = settings.telemetry.prices.size > 0
  return {
    version,
    timestamp: new Date().toISOString(),
    uptime_seconds: Math.round(process.uptime()),
    ...summaries.read(),
    limits: limitsReport(limits.counts),
    cache: cacheReport(answers),
    tokens: {
      input: tokens(metrics, 'input'),
      output: tokens(metrics, 'output'),
      cost_usd: hasPrices ? sum(instruments.cost, () => true) : null,
    },
    streams: {
      active: requests.activeStreams,
      ended: Object.fromEntries(
        ['complete', 'client_gone', 'upstream_broken', 'deadline'].map((outcome) => [
          outcome,
          sum(instruments.streamEnds, ([, ended]) => ended === outcome),
        ]),
      ),
    },
    system: system.last === undefined ? null : systemReport(system.last),
  }
}

/** As the targets count: whatever had no call of its own is a hit, and what had to go past the cache no miss. */
function cacheReport(answers: TelemetryParts['answers']): object {
  const reports = [...(answers?.counts.values() ?? [])].map(({ report }) => report)
  const { hits: kept, stale, coalesced, misses } = total(reports)
  const hits = kept + stale + coalesced
  const all = hits + misses
  return { hits, misses, hit_rate: all === 0 ? null : hits / all }
}

function limitsReport(policies: TelemetryParts['limits']['counts']): object {
  let [allowed, denied] = [0, 0]
  for (const counts of policies.values()) {
    denied += counts.denied
    allowed += counts.decisions - counts.denied
  }
  const all = allowed + denied
  return { allowed, denied, violation_rate: all === 0 ? null : denied / all }
}

function tokens({ instruments }: GatewayMetrics, type: string): number {
  let used = 0
  for (const [values, series] of instruments.tokens.entries()) {
    if (values.at(-1) === type) used += series.sum
  }
  return used
}

function sum(counter: Counter, isWanted: (values: readonly string[]) => boolean): number {
  let all = 0
  for (const [values, { value }] of counter.entries()) if (isWanted(values)) all += value
  return all
}

function systemReport(reading: SystemMetrics): object {
  const { cpu_ratio, memory, disk, network_connections, event_loop, uptime_seconds } = reading
  const { rss_bytes, limit_bytes } = memory
  return {
    ...{ cpu_ratio, memory: { rss_bytes, limit_bytes }, disk, network_connections },
    ...{ event_loop, uptime_seconds },
  }
}
