import type { HistoryKind } from '@tidegate/telemetry/history'

/** A metric that the gateway itself keeps. */
export interface OwnMetric {
  readonly metric: string
  readonly kind: HistoryKind
  readonly unit: string
}

type Kinds = Readonly<Record<string, readonly [HistoryKind, unit: string]>>

const PER_GATEWAY: Kinds = {
  'requests.rate': ['rate', '1/s'],
  'errors.rate': ['rate', '1/s'],
  'errors.ratio': ['gauge', 'ratio'],
  'latency.p50': ['gauge', 'ms'],
  'latency.p95': ['gauge', 'ms'],
  'latency.p99': ['gauge', 'ms'],
  'overhead.p95': ['gauge', 'ms'],
  'requests.active': ['level', ''],
  'streams.active': ['level', ''],
  'tokens.input': ['rate', '1/s'],
  'tokens.output': ['rate', '1/s'],
  'cost.usd': ['count', 'USD'],
  'cache.hit_ratio': ['gauge', 'ratio'],
  'limits.denied': ['rate', '1/s'],
  'limits.violation_ratio': ['gauge', 'ratio'],
  'retries.rate': ['rate', '1/s'],
  'hedges.rate': ['rate', '1/s'],
  'cpu.ratio': ['gauge', 'ratio'],
  'memory.rss': ['gauge', 'bytes'],
  'eventloop.delay': ['max', 'ms'],
}

const PER_UPSTREAM: Kinds = {
  requests: ['rate', '1/s'],
  errors: ['rate', '1/s'],
  'latency.p95': ['gauge', 'ms'],
}

/** All of a gateway with these upstreams: nobody else may publish under their names. */
export function ownMetrics(upstreams: readonly string[]): readonly OwnMetric[] {
  return [
    ...metricsOf('', PER_GATEWAY),
    ...upstreams.flatMap((name) => metricsOf(`upstream.${name}.`, PER_UPSTREAM)),
  ]
}

function metricsOf(prefix: string, kinds: Kinds): readonly OwnMetric[] {
  return Object.entries(kinds).map(([name, [kind, unit]]) => {
    return { metric: `${prefix}${name}`, kind, unit }
  })
}
