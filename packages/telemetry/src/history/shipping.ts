import type { HistoryBatch, HistoryRun, HistoryStore } from './store.ts'

/** What a {@link Shipping} takes from the history. */
export interface ShippingOptions {
  readonly store: HistoryStore
  readonly instance: string
  readonly now: () => number
  /** Takes out what the store doesn't have, of so many steps at most. */
  readonly take: (most: number) => readonly HistoryRun[]
  /** Up to when all would be told, if nothing waited. */
  readonly closedUntil: () => number
  readonly isWaiting: () => boolean
  readonly onError: (error: unknown) => void
}

/** Cells in one batch: few, as a store may have others to serve, who wait for a millisecond but not for ten. */
const BATCH = 400
/** Batches in a row: what is left has time until the next flush. */
const BATCHES = 250

/**
 * Brings to a store what it doesn't have, one batch after the other. A batch that nobody confirmed is sent again as
 * it was, so that the store can tell it from a new one; whatever is recorded meanwhile waits for the next.
 */
export class Shipping {
  readonly #options: ShippingOptions
  #sequence = 0
  #toldUntil = 0
  #unconfirmed: HistoryBatch | undefined
  /** Confirmed ones that a reading, asked for before, may lack. */
  readonly #confirmed = new Set<HistoryBatch>()
  #readings = 0
  #flushing: Promise<boolean> | undefined

  constructor(options: ShippingOptions) {
    this.#options = options
  }

  /** Brings all there is; false when the store didn't take it. Never rejects. */
  async flush(): Promise<boolean> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined
    })
    return await this.#flushing
  }

  /** Asks the store, so that {@link missing} can tell what the answer lacks, until `use` has returned. */
  async reading<Reading, Used>(
    ask: () => Promise<Reading>,
    use: (reading: Reading) => Used,
  ): Promise<Used> {
    this.#readings += 1
    try {
      return use(await ask())
    } finally {
      this.#readings -= 1
      if (this.#readings === 0) this.#confirmed.clear()
    }
  }

  /** What was taken out and isn't in what the store has up to that sequence. */
  missing(sequence: number): readonly HistoryRun[] {
    return [...this.#batches()].flatMap((batch) => (batch.sequence > sequence ? batch.runs : []))
  }

  *#batches(): Iterable<HistoryBatch> {
    yield* this.#confirmed
    if (this.#unconfirmed !== undefined) yield this.#unconfirmed
  }

  async #flush(): Promise<boolean> {
    const { store, onError } = this.#options
    for (let count = 0; count < BATCHES; count += 1) {
      const batch = this.#unconfirmed ?? this.#next()
      this.#unconfirmed = batch
      if (batch === undefined) return true
      try {
        await store.add(batch)
      } catch (error) {
        onError(error)
        return false
      }
      this.#unconfirmed = undefined
      if (this.#readings > 0) this.#confirmed.add(batch)
    }
    return true
  }

  /** What is to be told: also that there was nothing, so that nobody waits for it. */
  #next(): HistoryBatch | undefined {
    const { instance, now, take, isWaiting, closedUntil } = this.#options
    const runs = take(BATCH)
    const toldUntil = isWaiting() ? this.#toldUntil : closedUntil()
    const isNews = this.#sequence > 0 && toldUntil > this.#toldUntil
    if (runs.length === 0 && !isNews) return undefined
    this.#toldUntil = toldUntil
    this.#sequence += 1
    return { instance, sequence: this.#sequence, at: now(), toldUntil, runs }
  }
}
