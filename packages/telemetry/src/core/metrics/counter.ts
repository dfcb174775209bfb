import { isRecordable } from './distribution.ts'
import type { NumberPoint } from './family.ts'
import type { Counter, CounterSeries } from './instruments.ts'
import type { InstrumentParts } from './parts.ts'
import { SeriesTable } from './series-table.ts'

class KeptCounterSeries implements CounterSeries {
  readonly createdAt: number
  #value = 0
  readonly #onRefused: () => void

  constructor(createdAt: number, onRefused: () => void) {
    this.createdAt = createdAt
    this.#onRefused = onRefused
  }

  get value(): number {
    return this.#value
  }

  add(amount = 1): void {
    if (isRecordable(amount)) this.#value += amount
    else this.#onRefused()
  }

  raise(total: number): void {
    if (!isRecordable(total)) this.#onRefused()
    else if (total > this.#value) this.#value = total
  }
}

export class KeptCounter implements Counter {
  readonly name: string
  readonly #table: SeriesTable<KeptCounterSeries>

  constructor({ name, labels, maxSeries, now, onOverflow, onRefused }: InstrumentParts) {
    this.name = name
    const create = () => new KeptCounterSeries(now(), onRefused)
    this.#table = new SeriesTable({ metric: name, labels, maxSeries, onOverflow, create })
    if (labels.length === 0) this.#table.find([])
  }

  series(...values: readonly string[]): CounterSeries {
    return this.#table.find(values)
  }

  entries(): readonly (readonly [readonly string[], CounterSeries])[] {
    return this.#table.entries
  }

  points(): readonly NumberPoint[] {
    return this.#table.entries.map(([labels, { value, createdAt }]) => ({
      labels,
      value,
      createdAt,
    }))
  }
}
