import type { PredictionStats } from './prediction/prediction.ts'

/** How often what happened. */
export interface CacheCounts {
  /** Fresh entries served from memory. */
  readonly l1Hits: number
  /** Fresh entries served from the second tier. */
  readonly l2Hits: number
  /** Stale entries served. */
  readonly stale: number
  /** Reads that found nothing to serve. */
  readonly misses: number
  /** Factories that were run. */
  readonly factories: number
  /** Callers who waited for a factory that ran for another. */
  readonly coalesced: number
  /** Factories that failed, ran out of time, or made what couldn't be stored. */
  readonly errors: number
}

/** What a cache says of itself. Counted since it was created, in this process. */
export interface CacheStats extends CacheCounts {
  /** Fresh and stale ones served, as a share of all reads; 0 before the first one. */
  readonly hitRate: number
  /** Entries in memory now, of all namespaces; expired ones too, until they are swept. */
  readonly entries: number
  /** What they take, about, where `l1.bytes` limits it; else `undefined`. */
  readonly bytes: number | undefined
  /** Entries that had to leave memory for want of room. */
  readonly evictions: number
  /** How long the second tier takes to be read, of the last 1,000 times; absent without one. */
  readonly l2:
    | {
        readonly reads: number
        readonly p50Ms: number
        readonly p95Ms: number
        readonly up: boolean
      }
    | undefined
  /** What prediction is worth, in all namespaces; absent where it is off. Its own reads are counted here only. */
  readonly prediction: PredictionStats | undefined
  /** The same for each namespace by its prefix; of the first 1,000 of them. */
  readonly namespaces: Readonly<Record<string, CacheCounts & { readonly hitRate: number }>>
}

/** Counts as they are kept. */
export class Counts implements CacheCounts {
  l1Hits = 0
  l2Hits = 0
  stale = 0
  misses = 0
  factories = 0
  coalesced = 0
  errors = 0

  add(other: CacheCounts): this {
    this.l1Hits += other.l1Hits
    this.l2Hits += other.l2Hits
    this.stale += other.stale
    this.misses += other.misses
    this.factories += other.factories
    this.coalesced += other.coalesced
    this.errors += other.errors
    return this
  }

  get hitRate(): number {
    const served = this.l1Hits + this.l2Hits + this.stale
    return served === 0 ? 0 : served / (served + this.misses)
  }

  report(): CacheCounts & { hitRate: number } {
    return { ...this, hitRate: this.hitRate }
  }
}

const MAX_NAMESPACES = 1_000

/** The counts of a cache, by the prefix of each of its namespaces. */
export class CountsByPrefix {
  readonly #byPrefix = new Map<string, Counts>()
  readonly #others = new Counts()

  /** Those of a namespace; what comes after the thousandth is counted in the whole only. */
  of(prefix: string): Counts {
    const known = this.#byPrefix.get(prefix)
    if (known !== undefined) return known
    if (this.#byPrefix.size > MAX_NAMESPACES) return this.#others
    const counts = new Counts()
    this.#byPrefix.set(prefix, counts)
    return counts
  }

  /** Those of a namespace with all inside it. */
  sum(prefix: string): Counts {
    const sum = new Counts()
    for (const [other, counts] of this.#byPrefix) if (other.startsWith(prefix)) sum.add(counts)
    return prefix === '' ? sum.add(this.#others) : sum
  }

  inside(prefix: string): readonly string[] {
    return [...this.#byPrefix.keys()].filter(
      (other) => other !== prefix && other.startsWith(prefix),
    )
  }
}

const KEPT = 1_000

/** The last thousand times that something took. */
export class Latency {
  readonly #ms = new Float64Array(KEPT)
  #count = 0

  add(ms: number): void {
    this.#ms[this.#count++ % KEPT] = ms
  }

  get count(): number {
    return this.#count
  }

  /** The time that a `share` of them didn't exceed; 0 when there was none. */
  quantile(share: number): number {
    const sorted = this.#ms.slice(0, Math.min(this.#count, KEPT)).sort()
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  }
}
