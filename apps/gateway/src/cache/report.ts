import type { Component } from '../health/component.ts'
import type { SharedAnswers } from './open.ts'
import { total } from './route-counts.ts'

/** How many of the popular are listed. */
const LISTED = 10

/** What `GET /cache/stats` tells: counted in this process, since it was started. */
export async function cacheReport(
  answers: SharedAnswers | undefined,
  memoryLimit: number,
): Promise<object> {
  const counts = [...(answers?.counts ?? [])].map(([match, each]) => [match, each.report] as const)
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const stats = answers?.kept?.cache.stats()
  const inFlight = answers?.recordings.stats()
  const popular = (await answers?.kept?.cache.popular(LISTED)) ?? []
  return {
    enabled: answers?.kept !== undefined,
    checked_at: new Date().toISOString(),
    ...total(counts.map(([, report]) => report)),
    entries: stats?.entries ?? 0,
    bytes: stats?.bytes ?? 0,
    evictions: stats?.evictions ?? 0,
    memory: {
      ...{ used_bytes: stats?.bytes ?? 0, limit_bytes: memoryLimit },
      ...{ rss_bytes: rss, heap_used_bytes: heapUsed, buffers_bytes: arrayBuffers },
    },
    redis:
      stats?.l2 === undefined
        ? null
        : {
            ...{ up: stats.l2.up, reads: stats.l2.reads, hits: stats.l2Hits },
            latency_ms: { p50: rounded(stats.l2.p50Ms), p95: rounded(stats.l2.p95Ms) },
          },
    in_flight: {
      ...{ calls: inFlight?.open ?? 0, readers: inFlight?.readers ?? 0 },
      bytes: inFlight?.bytes ?? 0,
    },
    routes: Object.fromEntries(counts),
    popular: popular.map(({ key, score }) => ({ key, score: rounded(score) })),
  }
}

/** What `/health/cache` tells: without Redis it is worse, and works. */
export function cacheHealth({ kept }: SharedAnswers): Component {
  const stats = kept?.cache.stats()
  return {
    status: stats?.l2?.up === false ? 'degraded' : 'healthy',
    checked_at: new Date().toISOString(),
    ...{ entries: stats?.entries ?? 0, bytes: stats?.bytes ?? 0 },
    shared: stats?.l2?.up ?? false,
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
