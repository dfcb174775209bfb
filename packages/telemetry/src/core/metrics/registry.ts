import { TelemetryError } from '../errors.ts'
import { checkWhole } from '../option-checks.ts'
import { KeptCounter } from './counter.ts'
import { type Declaration, declare, difference, familyName, type GivenSpec } from './declaration.ts'
import type { MetricFamily, MetricType } from './family.ts'
import { KeptGauge } from './gauge.ts'
import { KeptHistogram } from './histogram.ts'
import type { Counter, Gauge, Histogram, HistogramSpec, MetricSpec } from './instruments.ts'
import type { Clearable, FoundInstrument, Metrics, MetricsOptions } from './metrics.ts'
import { type OwnMetrics, ownMetrics } from './own-metrics.ts'
import type { InstrumentParts } from './parts.ts'
import { KeptTopK, type TopK, type TopKSpec } from './top-k.ts'

type Instrument = KeptCounter | KeptGauge | KeptHistogram | KeptTopK

interface Kept {
  readonly declaration: Declaration
  readonly instrument: Instrument
}

interface Reading {
  readonly gauges: readonly Clearable[]
  readonly read: () => void
}

export class Registry implements Metrics {
  readonly #options: MetricsOptions
  readonly #now: () => number
  readonly #maxSeries: number
  /** By the name of the family, which `x` and `x_total` have in common. */
  readonly #kept = new Map<string, Kept>()
  readonly #readings = new Set<Reading>()
  readonly #overflowing = new Set<string>()
  readonly #own: OwnMetrics

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#maxSeries = checkWhole('maxSeries', options.maxSeries ?? 1_000, 1)
    this.#own = ownMetrics(this)
  }

  counter<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Counter<Labels> {
    return this.#instrument(KeptCounter, name, 'counter', spec)
  }

  gauge<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Gauge<Labels> {
    return this.#instrument(KeptGauge, name, 'gauge', spec)
  }

  upDownCounter<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: MetricSpec<Labels>,
  ): Gauge<Labels> {
    return this.#instrument(KeptGauge, name, 'updown', spec)
  }

  histogram<const Labels extends readonly string[] = readonly []>(
    name: string,
    spec: HistogramSpec<Labels>,
  ): Histogram<Labels> {
    return this.#instrument(KeptHistogram, name, 'histogram', spec)
  }

  topK(name: string, { label, k = 50, ...spec }: TopKSpec): TopK {
    const maxSeries = checkWhole('k', k, 1)
    return this.#instrument(KeptTopK, name, 'counter', { ...spec, labels: [label], maxSeries })
  }

  find(name: string): FoundInstrument | undefined {
    for (const { declaration, instrument } of this.#kept.values()) {
      if (declaration.name !== name || instrument instanceof KeptTopK) continue
      return { labels: declaration.labels, instrument }
    }
    return undefined
  }

  observe(gauges: readonly Clearable[], read: () => void): () => void {
    const reading = { gauges, read }
    this.#readings.add(reading)
    return () => void this.#readings.delete(reading)
  }

  refresh(): void {
    for (const reading of this.#readings) this.#read(reading)
  }

  snapshot(): readonly MetricFamily[] {
    this.refresh()
    const families: MetricFamily[] = []
    for (const { declaration, instrument } of this.#kept.values()) {
      const family = familyOf(declaration, instrument)
      if (family.points.length > 0) families.push(family)
    }
    return families
  }

  #read({ gauges, read }: Reading): void {
    for (const gauge of gauges) gauge.clear()
    try {
      read()
    } catch (error) {
      for (const gauge of gauges) gauge.clear()
      this.#own.readFailures.add()
      this.#tell(() => this.#options.onError?.(error))
    }
  }

  /** The declared class says which instrument it is, so no cast is needed when it is found again. */
  #instrument<Kind extends Instrument>(
    kind: new (parts: InstrumentParts & { readonly bounds: readonly number[] }) => Kind,
    name: string,
    type: MetricType,
    spec: GivenSpec,
  ): Kind {
    const declaration = declare(name, type, spec, this.#maxSeries)
    const known = this.#kept.get(familyName(name, type))
    if (known === undefined) return this.#add(kind, declaration)
    const differing =
      known.declaration.name === name ? difference(known.declaration, declaration) : 'name'
    if (differing === undefined && known.instrument instanceof kind) return known.instrument
    throw new TelemetryError(
      'redeclared',
      `The metric ${name} is already declared as ${known.declaration.name} with another ${differing ?? 'kind'}. Declare it once, or the same everywhere.`,
    )
  }

  #add<Kind extends Instrument>(
    kind: new (parts: InstrumentParts & { readonly bounds: readonly number[] }) => Kind,
    declaration: Declaration,
  ): Kind {
    const { name, type } = declaration
    const instrument = new kind({
      ...declaration,
      now: this.#now,
      onOverflow: () => this.#overflow(name),
      onRefused: () => this.#own.valuesDropped.series(name).add(),
    })
    this.#kept.set(familyName(name, type), { declaration, instrument })
    return instrument
  }

  #overflow(name: string): void {
    this.#own.seriesDropped.series(name).add()
    if (this.#overflowing.has(name)) return
    this.#overflowing.add(name)
    this.#tell(() => this.#options.onOverflow?.(name))
  }

  /** Who listens must not be able to harm the request that is measured. */
  #tell(tell: () => void): void {
    try {
      tell()
    } catch {
      this.#own.readFailures.add()
    }
  }
}

function familyOf(declaration: Declaration, instrument: Instrument): MetricFamily {
  const { name, type, help, unit, labels, bounds } = declaration
  const facts = { name, help, labels, ...(unit !== undefined && { unit }) }
  if (instrument instanceof KeptHistogram) {
    return { ...facts, type: 'histogram', bounds, points: instrument.points() }
  }
  return { ...facts, type: type === 'histogram' ? 'gauge' : type, points: instrument.points() }
}
