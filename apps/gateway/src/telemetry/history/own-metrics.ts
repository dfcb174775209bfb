import type { HistoryKind } from '@tidegate/telemetry/history'

/** A metric that the gateway itself keeps. */
export interface OwnMetric {
  readonly metric: string
  readonly kind: HistoryKind
  readonly unit: string
}

const PER_GATEWAY: Readonly<Record<string, readonly [HistoryKind, unit: string]>> = {
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

const PER_UPSTREAM: Readonly<Record<string, readonly [HistoryKind, unit: string]>> = {
  requests: ['rate', '1/s'],
  errors: ['rate', '1/s'],
  'latency.p95': ['gauge', 'ms'],
}

/** All of a gateway with these upstreams: nobody else may publish under their names. */
export function ownMetrics(upstreams: readonly string[]): readonly OwnMetric[] {
  const asMetric = ([metric, [kind, unit]]: [
    string,
    readonly [HistoryKind, string],
  ]): OwnMetric => ({
    ...{ metric, kind, unit },
  })
  const perUpstream = upstreams.flatMap((name) =>
    Object.entries(PER_UPSTREAM).map(([what, how]) => asMetric([`upstream.${name}.${what}`, how])),
  )
  return [...Object.entries(PER_GATEWAY).map(asMetric), ...perUpstream]
}
