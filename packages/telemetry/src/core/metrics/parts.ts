/** What every instrument is made of. */
export interface InstrumentParts {
  readonly name: string
  readonly labels: readonly string[]
  readonly maxSeries: number
  readonly now: () => number
  /** Told of each lookup beyond `maxSeries`. */
  readonly onOverflow: () => void
  /** Told of each value that can't be taken. */
  readonly onRefused: () => void
}
