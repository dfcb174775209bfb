import type { SharedAnswers } from '../cache/open.ts'
import { total } from '../cache/route-counts.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { lookAtAll } from './component.ts'
import type { GatewayHealth } from './open.ts'

/** What its figures are read from. */
export interface AdvancedSources {
  readonly health: GatewayHealth
  readonly upstreams: readonly Upstream[]
  readonly answers: SharedAnswers | undefined
}

/** What `/health/advanced` tells: figures at a glance, why one is missing, and every component. */
export async function advancedReport(sources: AdvancedSources): Promise<object> {
  const { health, upstreams, answers } = sources
  const [components, clients] = await Promise.all([lookAtAll(health.looks), health.connections()])
  const cache = hitRate(answers)
  const latency = health.databaseLatency()
  const { used_ratio: memory } = Object(components.memory?.details)
  return {
    cache_hit_rate: cache ?? null,
    memory_usage: memory ?? null,
    connected_clients: clients,
    task_queue_depth: upstreams.reduce((sum, { bulkhead }) => sum + bulkhead.queued, 0),
    database_latency: latency ?? null,
    reasons: {
      ...(cache === undefined && { cache_hit_rate: noRate(answers) }),
      ...(memory === undefined && { memory_usage: 'the memory could not be read' }),
      ...(latency === undefined && { database_latency: noDatabase(health) }),
    },
    ...(health.shedding !== undefined && { shedding: sheddingReport(health.shedding) }),
    components,
  }
}

function hitRate(answers: SharedAnswers | undefined): number | undefined {
  const counts = [...(answers?.counts ?? [])].map(([, { report }]) => report)
  const { hits, misses, stale, coalesced, hit_rate } = total(counts)
  return hits + misses + stale + coalesced === 0 ? undefined : hit_rate
}

function noRate(answers: SharedAnswers | undefined): string {
  return answers?.kept === undefined
    ? 'no route keeps answers'
    : 'nothing was asked yet that may be kept'
}

function noDatabase({ hasDatabase }: GatewayHealth): string {
  return hasDatabase ? 'the database has not answered' : 'no database is configured'
}

function sheddingReport({ state, counts }: NonNullable<GatewayHealth['shedding']>): object {
  return {
    ...{ active: state.shedding, probability: state.probability },
    refused: Object.fromEntries(counts),
  }
}
