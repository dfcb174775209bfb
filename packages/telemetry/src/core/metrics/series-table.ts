import { TelemetryError } from '../errors.ts'

/** What every label value of the series is that takes what is beyond the limit. */
export const overflowValue = 'other'

/** Longer label values are cut: a stranger's text must not fill the memory or the scrape. */
export const maxValueLength = 256

/** A way from label value to label value; the last of it has the series. */
class Branch<S> {
  next: Map<string, Branch<S>> | undefined
  series: S | undefined
}

export interface SeriesTableOptions<S> {
  readonly metric: string
  readonly labels: readonly string[]
  readonly maxSeries: number
  readonly create: () => S
  /** Told of each lookup that was answered with the series of the others. */
  readonly onOverflow: () => void
}

/** All series of one metric, found by their label values without building a key. */
export class SeriesTable<S> {
  readonly #options: SeriesTableOptions<S>
  readonly #root = new Branch<S>()
  readonly #entries: (readonly [readonly string[], S])[] = []
  #overflow: S | undefined

  constructor(options: SeriesTableOptions<S>) {
    this.#options = options
  }

  get entries(): readonly (readonly [values: readonly string[], series: S])[] {
    return this.#entries
  }

  find(values: readonly string[]): S {
    let branch: Branch<S> | undefined = this.#root
    for (let index = 0; index < values.length; index += 1) {
      branch = branch.next?.get(values[index] ?? '')
      if (branch === undefined) return this.#findNew(values)
    }
    return branch.series ?? this.#findNew(values)
  }

  #findNew(given: readonly string[]): S {
    const values = this.#checked(given)
    const known = this.#known(values)
    if (known !== undefined) return known
    if (this.#entries.length - (this.#overflow === undefined ? 0 : 1) < this.#options.maxSeries) {
      return this.#add(values)
    }
    this.#options.onOverflow()
    if (this.#overflow === undefined) {
      const others = values.map(() => overflowValue)
      this.#overflow = this.#known(others) ?? this.#add(others)
    }
    return this.#overflow
  }

  /** A lone surrogate can't be written as UTF-8: two such values would be one in the exposition. */
  #checked(given: readonly string[]): readonly string[] {
    const { labels, metric } = this.#options
    if (given.length !== labels.length) {
      throw new TelemetryError(
        'invalid_label',
        `A series of ${metric} needs ${labels.length} label values (${labels.join(', ')}), not ${given.length}.`,
      )
    }
    return given.map((value, index) => {
      if (typeof value !== 'string') {
        throw new TelemetryError(
          'invalid_label',
          `The label ${labels[index]} of ${metric} needs a text, not ${typeof value}. Give String(value).`,
        )
      }
      return value.slice(0, maxValueLength).toWellFormed()
    })
  }

  #known(values: readonly string[]): S | undefined {
    let branch: Branch<S> | undefined = this.#root
    for (const value of values) branch = branch?.next?.get(value)
    return branch?.series
  }

  #add(values: readonly string[]): S {
    let branch = this.#root
    for (const value of values) {
      branch.next ??= new Map()
      let next = branch.next.get(value)
      if (next === undefined) {
        next = new Branch()
        branch.next.set(value, next)
      }
      branch = next
    }
    branch.series = this.#options.create()
    this.#entries.push([Object.freeze([...values]), branch.series])
    return branch.series
  }
}
