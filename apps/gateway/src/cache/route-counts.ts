/** How a route's requests came to their answers. */
export type Outcome = 'hit' | 'miss' | 'stale' | 'coalesced' | 'bypass'

/** Counts of one route, or of all. */
export interface RouteReport {
  readonly hits: number
  readonly misses: number
  /** Served out of their time: behind a refresh, or for want of a better. */
  readonly stale: number
  /** Had the answer of a call that was under way. */
  readonly coalesced: number
  /** Not looked at: nobody else could have had their answers. */
  readonly bypassed: number
  /** Kept ones served, as a share of all that was looked up. */
  readonly hit_rate: number
  /** Bytes of kept answers that were served. */
  readonly bytes_served: number
  readonly stored: number
  /** Tokens that no upstream was paid for, as far as it is known. */
  readonly tokens_saved: number
}

/** Counts what comes of a route's requests. */
export class RouteCounts {
  readonly #outcomes = { hit: 0, miss: 0, stale: 0, coalesced: 0, bypass: 0 }
  #bytes = 0
  #tokens = 0
  #stored = 0

  count(outcome: Outcome, bytes = 0, tokens = 0): void {
    this.#outcomes[outcome] += 1
    this.#bytes += bytes
    this.#tokens += tokens
  }

  stored(): void {
    this.#stored += 1
  }

  get report(): RouteReport {
    const { hit, miss, stale, coalesced, bypass } = this.#outcomes
    return reportOf({
      ...{ hits: hit, misses: miss, stale, coalesced, bypassed: bypass },
      ...{ bytes_served: this.#bytes, stored: this.#stored, tokens_saved: this.#tokens },
    })
  }
}

type Sums = Omit<RouteReport, 'hit_rate'>

function reportOf(sums: Sums): RouteReport {
  const { hits, misses, stale, coalesced } = sums
  const all = hits + misses + stale + coalesced
  const rate = all === 0 ? 0 : (hits + stale) / all
  return { ...sums, hit_rate: Math.round(rate * 10_000) / 10_000 }
}

/** Those of several routes together. */
export function total(reports: readonly RouteReport[]): RouteReport {
  const sum = (of: (report: RouteReport) => number): number =>
    reports.reduce((all, report) => all + of(report), 0)
  return reportOf({
    hits: sum(({ hits }) => hits),
    misses: sum(({ misses }) => misses),
    stale: sum(({ stale }) => stale),
    coalesced: sum(({ coalesced }) => coalesced),
    bypassed: sum(({ bypassed }) => bypassed),
    bytes_served: sum(({ bytes_served }) => bytes_served),
    stored: sum(({ stored }) => stored),
    tokens_saved: sum(({ tokens_saved }) => tokens_saved),
  })
}
