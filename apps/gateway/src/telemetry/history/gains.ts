import { Distribution, type FoundInstrument, type Metrics } from '@tidegate/telemetry'

/** Gives a label's value of one series; the empty text where there is no such label. */
type LabelOf = (label: string) => string

/** Which series belong together; `undefined` leaves one out. Asked once for each series. */
export type KeyOf = (labelOf: LabelOf) => string | undefined

/** A series as it was last read. */
interface Known {
  readonly id: string
  readonly key: string | undefined
  total: number
  distribution: Distribution
}

/**
 * What metrics have gained since they were read before. Each metric is asked for in one way only: an answer is the
 * difference to the one before. A metric that nobody has declared gains nothing, and a series in which nothing
 * happened costs next to nothing.
 */
export class Gains {
  readonly #metrics: Metrics
  /** By metric, and by the label values: a series keeps its list of them. */
  readonly #known = new Map<string, Map<readonly string[], Known>>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** How much counters have gained, and the sums of histograms. */
  amounts(name: string, keyOf: KeyOf): ReadonlyMap<string, number> {
    const gained = new Map<string, number>()
    const found = this.#metrics.find(name)
    for (const [values, series] of found?.instrument.entries() ?? []) {
      const known = this.#knownOf(name, values, found, keyOf)
      const { key, total: before } = known
      if (key === undefined) continue
      known.total = 'value' in series ? series.value : series.sum
      gained.set(key, (gained.get(key) ?? 0) + known.total - before)
    }
    return gained
  }

  /** What histograms have recorded. */
  distributions(name: string, keyOf: KeyOf): ReadonlyMap<string, Distribution> {
    const gained = new Map<string, Distribution>()
    const found = this.#metrics.find(name)
    if (found === undefined || !('distributions' in found.instrument)) return gained
    const changed = new Map<readonly string[], Known>()
    for (const [values, { count }] of found.instrument.entries()) {
      const known = this.#knownOf(name, values, found, keyOf)
      if (known.key !== undefined && count !== known.total) changed.set(values, known)
      known.total = count
    }
    const now = found.instrument.distributions((values) => changed.get(values)?.id)
    for (const known of changed.values()) {
      const { id, key = '', distribution: before } = known
      known.distribution = now.get(id) ?? before
      const gain = known.distribution.minus(before)
      gained.set(key, gained.get(key)?.merge(gain) ?? gain)
    }
    return gained
  }

  /** What the series of a gauge are together; `undefined` while nobody has set any. */
  level(name: string): number | undefined {
    const found = this.#metrics.find(name)
    let sum: number | undefined
    for (const [, series] of found?.instrument.entries() ?? []) {
      sum = (sum ?? 0) + ('value' in series ? series.value : 0)
    }
    return sum
  }

  #knownOf(
    name: string,
    values: readonly string[],
    found: FoundInstrument | undefined,
    keyOf: KeyOf,
  ): Known {
    const all = this.#known.get(name) ?? new Map<readonly string[], Known>()
    let known = all.get(values)
    if (known === undefined) {
      const key = keyOf((label) => values[found?.labels.indexOf(label) ?? -1] ?? '')
      known = { id: String(all.size), key, total: 0, distribution: new Distribution() }
      this.#known.set(name, all.set(values, known))
    }
    return known
  }
}
