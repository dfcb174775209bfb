import type { Metrics } from '@tidegate/telemetry'
import type { SharedAnswers } from '../../cache/open.ts'
import type { Limits } from '../../limits/limits.ts'

/** What limits decided: counted where it is decided, and read for a scrape. */
export function collectLimits(registry: Metrics, limits: Limits): void {
  const decisions = registry.counter('tidegate_limit_decisions_total', {
    help: 'What limits decided about requests, by policy.',
    labels: ['policy', 'outcome'],
  })
  registry.observe([], () => {
    for (const [policy, counts] of limits.counts) {
      const { denied, shadow_denied: shadow } = counts
      decisions.series(policy, 'allowed').raise(counts.decisions - denied - shadow)
      decisions.series(policy, 'denied').raise(denied)
      decisions.series(policy, 'shadow_denied').raise(shadow)
    }
  })
}

/** Answers that several requests may have. */
export function collectAnswers(registry: Metrics, { counts, kept }: SharedAnswers): void {
  const results = registry.counter('tidegate_cache_requests_total', {
    help: 'How requests came to their answers on routes that keep or share some.',
    labels: ['http_route', 'result'],
  })
  const entries = registry.gauge('tidegate_cache_entries', { help: 'Answers kept in memory.' })
  const bytes = registry.gauge('tidegate_cache_bytes', {
    help: 'Memory that kept answers take.',
    unit: 'bytes',
  })
  registry.observe([entries, bytes], () => {
    for (const [route, { report }] of counts) {
      results.series(route, 'hit').raise(report.hits)
      results.series(route, 'miss').raise(report.misses)
      results.series(route, 'stale').raise(report.stale)
      results.series(route, 'coalesced').raise(report.coalesced)
      results.series(route, 'bypass').raise(report.bypassed)
    }
    const stats = kept?.cache.stats()
    if (stats === undefined) return
    entries.series().set(stats.entries)
    if (stats.bytes !== undefined) bytes.series().set(stats.bytes)
  })
}
