import { Alone } from '../alone.ts'
import type { PredictionStats } from '../prediction/prediction.ts'
import type { CacheStats } from '../stats.ts'
import type { Engine } from './engine.ts'

/** What a cache, or one of its namespaces, says of itself. */
export function statsOf(
  engine: Engine,
  prefix: string,
  prediction: PredictionStats | undefined,
): CacheStats {
  const { tier, latency, counts, coherence } = engine
  return {
    ...counts.sum(prefix).report(),
    entries: tier.size,
    bytes: tier.bytes,
    evictions: tier.evictions,
    l2:
      coherence instanceof Alone
        ? undefined
        : {
            reads: latency.count,
            p50Ms: latency.quantile(0.5),
            p95Ms: latency.quantile(0.95),
            up: coherence.shared,
          },
    prediction,
    namespaces: Object.fromEntries(
      counts.inside(prefix).map((inner) => [inner, counts.sum(inner).report()]),
    ),
  }
}
