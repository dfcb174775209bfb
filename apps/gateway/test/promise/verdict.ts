import { type Interval, tightestInterval } from '@tidegate/rate-limit/testing'
import type { Chronicle } from './chaos.ts'
import { type Entry, type LimitName, limitNames, limits } from './limits.ts'

/** What was admitted under one limit, against what is promised of it. */
export interface Verdict {
  readonly limit: LimitName
  /** Who admitted: all replicas through Redis, or one replica by its own share of the limit. */
  readonly by: string
  readonly tokens: number
  readonly tightest: Interval
  readonly kept: boolean
}

/**
 * Holds the promise against a chronicle, in its two parts: what was admitted by Redis and by leases is
 * within the limit on all replicas together; what a replica admitted by itself is within its share.
 */
export function judge({ replicas, losses }: Chronicle): Verdict[] {
  return limitNames.flatMap((limit) => {
    const shared = replicas.flat().filter((entry) => entry.limit === limit && !isLocal(entry))
    const together = verdict(
      limit,
      'Redis',
      shared,
      tightestInterval(limits[limit], shared, losses),
    )
    const alone = replicas.flatMap((entries, at) => {
      const local = entries.filter((entry) => entry.limit === limit && isLocal(entry))
      const sizes = [...new Set(local.map(({ nodes }) => nodes))]
      return sizes.flatMap((nodes) => {
        const own = local.filter((entry) => entry.nodes === nodes)
        return verdict(
          limit,
          `replica ${at} as 1 of ${nodes}`,
          own,
          tightestInterval(shareOf(limit, nodes), own),
        )
      })
    })
    return [...together, ...alone]
  })
}

function isLocal({ source }: Entry): boolean {
  return source === 'fallback-local'
}

function shareOf(limit: LimitName, nodes: number) {
  const { limit: most, windowMs, burst } = limits[limit]
  return { limit: most, windowMs: windowMs * nodes, burst: Math.max(1, Math.floor(burst / nodes)) }
}

function verdict(
  limit: LimitName,
  by: string,
  entries: readonly Entry[],
  tightest: Interval | undefined,
): Verdict[] {
  if (tightest === undefined) return []
  const tokens = entries.reduce((sum, { cost }) => sum + cost, 0)
  // Sums of fractions are not exact to the last bit.
  return [{ limit, by, tokens, tightest, kept: tightest.admitted <= tightest.allowed + 1e-6 }]
}
