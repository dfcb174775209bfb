import { Distribution, type Metrics } from '@tidegate/telemetry'

/** Gives a label's value of one series; the empty text where there is no such label. */
export type LabelOf = (label: string) => string

/** Which series belong together; `undefined` leaves one out. */
export type KeyOf = (labelOf: LabelOf) => string | undefined

/**
 * What metrics have gained since they were read before. Each question has one key function and is asked
 * once at a time: its answer is the difference to the one before. A metric that nobody has declared gains nothing.
 */
export class Gains {
  readonly #metrics: Metrics
  readonly #totals = new Map<string, ReadonlyMap<string, number>>()
  readonly #distributions = new Map<string, ReadonlyMap<string, Distribution>>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** How much counters have gained, and the sums of histograms. */
  amounts(name: string, keyOf: KeyOf): ReadonlyMap<string, number> {
    const totals = new Map<string, number>()
    const found = this.#metrics.find(name)
    for (const [values, series] of found?.instrument.entries() ?? []) {
      const key = keyOf((label) => values[found?.labels.indexOf(label) ?? -1] ?? '')
      if (key === undefined) continue
      const total = 'value' in series ? series.value : series.sum
      totals.set(key, (totals.get(key) ?? 0) + total)
    }
    const before = this.#totals.get(name)
    this.#totals.set(name, totals)
    return new Map(Array.from(totals, ([key, total]) => [key, total - (before?.get(key) ?? 0)]))
  }

  /** What histograms have recorded. */
  distributions(name: string, keyOf: KeyOf): ReadonlyMap<string, Distribution> {
    const found = this.#metrics.find(name)
    if (found === undefined || !('distributions' in found.instrument)) return new Map()
    const { labels, instrument } = found
    const all = instrument.distributions((values) =>
      keyOf((label) => values[labels.indexOf(label)] ?? ''),
    )
    const before = this.#distributions.get(name)
    this.#distributions.set(name, all)
    return new Map(
      Array.from(all, ([key, each]) => [key, each.minus(before?.get(key) ?? new Distribution())]),
    )
  }

  /** What the series of a gauge are together; `undefined` while nobody has set any. */
  level(name: string): number | undefined {
    const found = this.#metrics.find(name)
    const series = [...(found?.instrument.entries() ?? [])].map(([, each]) => each)
    if (series.length === 0) return undefined
    return series.reduce((sum, each) => sum + ('value' in each ? each.value : 0), 0)
  }
}
