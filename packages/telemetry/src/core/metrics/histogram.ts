import { Distribution } from './distribution.ts'
import type { Exemplar, HistogramPoint } from './family.ts'
import type { Histogram, HistogramSeries } from './instruments.ts'
import type { InstrumentParts } from './parts.ts'
import { SeriesTable } from './series-table.ts'

/** As in W3C trace context. */
const traceIds = /^[0-9a-f]{32}$/

interface SeriesParts {
  readonly bounds: Float64Array
  readonly now: () => number
  readonly onRefused: () => void
}

class KeptHistogramSeries implements HistogramSeries {
  readonly distribution = new Distribution()
  readonly #createdAt: number
  readonly #parts: SeriesParts
  readonly #bounds: Float64Array
  readonly #buckets: Float64Array
  #exemplars: (Exemplar | undefined)[] | undefined

  constructor(parts: SeriesParts) {
    this.#createdAt = parts.now()
    this.#parts = parts
    this.#bounds = parts.bounds
    this.#buckets = new Float64Array(parts.bounds.length + 1)
  }

  get count(): number {
    return this.distribution.count
  }

  get sum(): number {
    return this.distribution.sum
  }

  quantile(q: number): number {
    return this.distribution.quantile(q)
  }

  record(value: number, traceId?: string): void {
    if (!this.distribution.record(value)) {
      this.#parts.onRefused()
      return
    }
    const bounds = this.#bounds
    let index = 0
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    if (traceId !== undefined) this.#remember(index, value, traceId)
  }

  point(labels: readonly string[]): HistogramPoint {
    return {
      labels,
      buckets: [...this.#buckets],
      count: this.count,
      sum: this.sum,
      createdAt: this.#createdAt,
      ...(this.#exemplars && { exemplars: [...this.#exemplars] }),
    }
  }

  /** OpenMetrics has room for 128 characters: anything else than an id would spoil the whole scrape. */
  #remember(index: number, value: number, traceId: string): void {
    if (!traceIds.test(traceId)) return
    this.#exemplars ??= Array.from(this.#buckets, () => undefined)
    this.#exemplars[index] = { traceId, value, at: this.#parts.now() }
  }
}

export interface HistogramParts extends InstrumentParts {
  readonly bounds: readonly number[]
}

export class KeptHistogram implements Histogram {
  readonly name: string
  readonly bounds: readonly number[]
  readonly #table: SeriesTable<KeptHistogramSeries>

  constructor(parts: HistogramParts) {
    const { name, labels, maxSeries, now, onOverflow, onRefused } = parts
    this.name = name
    this.bounds = parts.bounds
    const bounds = Float64Array.from(parts.bounds)
    const create = () => new KeptHistogramSeries({ bounds, now, onRefused })
    this.#table = new SeriesTable({ metric: name, labels, maxSeries, onOverflow, create })
    if (labels.length === 0) this.#table.find([])
  }

  series(...values: readonly string[]): HistogramSeries {
    return this.#table.find(values)
  }

  entries(): readonly (readonly [readonly string[], HistogramSeries])[] {
    return this.#table.entries
  }

  distributions(
    keyOf: (values: readonly string[]) => string | undefined,
  ): Map<string, Distribution> {
    const merged = new Map<string, Distribution>()
    for (const [values, series] of this.#table.entries) {
      const key = keyOf(values)
      if (key === undefined) continue
      merged.set(key, (merged.get(key) ?? new Distribution()).merge(series.distribution))
    }
    return merged
  }

  points(): readonly HistogramPoint[] {
    return this.#table.entries.map(([labels, series]) => series.point(labels))
  }
}
