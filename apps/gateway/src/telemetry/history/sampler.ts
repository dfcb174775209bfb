import { Distribution, type Metrics } from '@tidegate/telemetry'
import type { HistorySample } from '@tidegate/telemetry/history'
import { isUpstreamFault } from '../metrics/upstream-fault.ts'
import { Gains, type KeyOf } from './gains.ts'
import type { ProcessReader } from './process-figures.ts'

export type Samples = Readonly<Record<string, HistorySample>>

/** What a sampler reads. */
export interface SamplerParts {
  readonly metrics: Metrics
  /** Their names. */
  readonly upstreams: readonly string[]
  /** Whether requests on this route are the gateway's own affair: their latencies are nobody's concern. */
  readonly isOwn: (route: string) => boolean
  readonly process: Pick<ProcessReader, 'read'>
}

/** Makes what reads the gateway's metrics: all that happened since it was asked before. */
export function createSampler(parts: SamplerParts): () => Samples {
  const gains = new Gains(parts.metrics)
  return () => {
    parts.metrics.refresh()
    return {
      ...requests(gains),
      ...latencies(gains, parts),
      ...models(gains),
      ...cache(gains),
      ...limits(gains),
      ...attempts(gains, parts),
      ...processFigures(parts),
    }
  }
}

const by =
  (label: string): KeyOf =>
  (labelOf) =>
    labelOf(label)

function requests(gains: Gains): Samples {
  const outcomes = gains.amounts('tidegate_requests_total', by('outcome'))
  const all = sumOf(outcomes.values())
  const errors = outcomes.get('server_error') ?? 0
  return {
    'requests.rate': all,
    'errors.rate': errors,
    'errors.ratio': share(errors, all),
    'requests.active': gains.level('http_server_active_requests'),
    'streams.active': gains.level('tidegate_streams_active'),
  }
}

function latencies(gains: Gains, { isOwn }: SamplerParts): Samples {
  const onRoutes: KeyOf = (labelOf) => {
    const route = labelOf('http_route')
    // A WebSocket lasts as long as its ends wish.
    const isSwitched = labelOf('http_response_status_code') === '101'
    return route === '' || isSwitched || isOwn(route) ? undefined : 'all'
  }
  const took = gains.distributions('http_server_request_duration_seconds', onRoutes).get('all')
  const added = gains.distributions('tidegate_gateway_overhead_seconds', () => 'all').get('all')
  return {
    'latency.p50': quantileMs(took, 0.5),
    'latency.p95': quantileMs(took, 0.95),
    'latency.p99': quantileMs(took, 0.99),
    'overhead.p95': quantileMs(added, 0.95),
  }
}

function models(gains: Gains): Samples {
  const tokens = gains.amounts('gen_ai_client_token_usage', by('gen_ai_token_type'))
  return {
    'tokens.input': tokens.get('input') ?? 0,
    'tokens.output': tokens.get('output') ?? 0,
    'cost.usd': sumOf(gains.amounts('tidegate_cost_usd_total', () => 'all').values()),
  }
}

/** As the targets count: what had to go past the cache is no miss of it. */
function cache(gains: Gains): Samples {
  const results = gains.amounts('tidegate_cache_requests_total', by('result'))
  const hits = sumOf(['hit', 'stale', 'coalesced'].map((result) => results.get(result) ?? 0))
  return { 'cache.hit_ratio': share(hits, sumOf(results.values()) - (results.get('bypass') ?? 0)) }
}

function limits(gains: Gains): Samples {
  const decisions = gains.amounts('tidegate_limit_decisions_total', by('outcome'))
  const denied = decisions.get('denied') ?? 0
  return {
    'limits.denied': denied,
    'limits.violation_ratio': share(denied, sumOf(decisions.values())),
  }
}

function attempts(gains: Gains, { upstreams }: SamplerParts): Samples {
  const kinds = gains.amounts('tidegate_upstream_attempts_total', by('kind'))
  const samples: Record<string, HistorySample> = {
    'retries.rate': (kinds.get('retry') ?? 0) + (kinds.get('failover') ?? 0),
    'hedges.rate': kinds.get('hedge') ?? 0,
  }
  const took = gains.distributions('http_client_request_duration_seconds', endOfAttempt)
  for (const upstream of upstreams) {
    const [well, failed] = [took.get(`well ${upstream}`), took.get(`failed ${upstream}`)]
    const all = merged(well, failed)
    samples[`upstream.${upstream}.requests`] = all.count
    samples[`upstream.${upstream}.errors`] = failed?.count ?? 0
    samples[`upstream.${upstream}.latency.p95`] = quantileMs(all, 0.95)
  }
  return samples
}

const endOfAttempt: KeyOf = (labelOf) => {
  const isFault = isUpstreamFault(labelOf('error_type'))
  return `${isFault ? 'failed' : 'well'} ${labelOf('tidegate_upstream')}`
}

function merged(...some: readonly (Distribution | undefined)[]): Distribution {
  return some.reduce<Distribution>(
    (all, each) => (each ? all.merge(each) : all),
    new Distribution(),
  )
}

function processFigures({ process }: SamplerParts): Samples {
  const { cpuRatio, rssBytes, eventLoopDelayMs } = process.read()
  return { 'cpu.ratio': cpuRatio, 'memory.rss': rssBytes, 'eventloop.delay': eventLoopDelayMs }
}

function sumOf(values: Iterable<number>): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** A share weighs as much as what it is of. */
function share(part: number, all: number): HistorySample {
  return all > 0 ? { value: part / all, weight: all } : undefined
}

function quantileMs(took: Distribution | undefined, q: number): HistorySample {
  if (took === undefined || took.count === 0) return undefined
  return { value: took.quantile(q) * 1_000, weight: took.count }
}
