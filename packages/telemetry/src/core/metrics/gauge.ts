import type { NumberPoint } from './family.ts'
import type { Gauge, GaugeSeries } from './instruments.ts'
import type { InstrumentParts } from './parts.ts'
import { SeriesTable } from './series-table.ts'

class KeptGaugeSeries implements GaugeSeries {
  readonly createdAt: number
  #value = 0
  #present = false
  readonly #onRefused: () => void

  constructor(createdAt: number, onRefused: () => void) {
    this.createdAt = createdAt
    this.#onRefused = onRefused
  }

  get value(): number {
    return this.#value
  }

  get present(): boolean {
    return this.#present
  }

  set(value: number): void {
    if (typeof value !== 'number') {
      this.#onRefused()
      return
    }
    this.#value = value
    this.#present = true
  }

  add(amount = 1): void {
    if (Number.isFinite(amount)) this.set(this.#value + amount)
    else this.#onRefused()
  }

  unset(): void {
    this.#value = 0
    this.#present = false
  }
}

export class KeptGauge implements Gauge {
  readonly name: string
  readonly #table: SeriesTable<KeptGaugeSeries>

  constructor({ name, labels, maxSeries, now, onOverflow, onRefused }: InstrumentParts) {
    this.name = name
    const create = () => new KeptGaugeSeries(now(), onRefused)
    this.#table = new SeriesTable({ metric: name, labels, maxSeries, onOverflow, create })
  }

  series(...values: readonly string[]): GaugeSeries {
    return this.#table.find(values)
  }

  entries(): readonly (readonly [readonly string[], GaugeSeries])[] {
    return this.#table.entries.filter(([, { present }]) => present)
  }

  clear(): void {
    for (const [, series] of this.#table.entries) series.unset()
  }

  points(): readonly NumberPoint[] {
    return this.#table.entries
      .filter(([, { present }]) => present)
      .map(([labels, { value, createdAt }]) => ({ labels, value, createdAt }))
  }
}
