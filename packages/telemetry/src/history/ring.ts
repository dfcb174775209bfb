import { type Cell, folded, GAP, type HistoryKind } from './kind.ts'

/** Consecutive cells, as a store takes and gives them. */
export interface Run {
  /** The step of the first. */
  readonly step: number
  /** Value and weight of each, in turn. */
  readonly cells: Float64Array
}

/** The newest so many steps of a metric, 16 bytes each, whatever happens. */
export class Ring {
  readonly #kind: HistoryKind
  readonly #size: number
  readonly #cells: Float64Array
  /** The newest step that was written, and the oldest that may hold something. */
  #newest = Number.NEGATIVE_INFINITY
  #oldest = Number.POSITIVE_INFINITY

  constructor(kind: HistoryKind, size: number) {
    this.#kind = kind
    this.#size = size
    this.#cells = new Float64Array(2 * size)
  }

  get bytes(): number {
    return this.#cells.byteLength
  }

  get isEmpty(): boolean {
    return this.#oldest > this.#newest
  }

  /** Folds a cell into its step; false when that is older than what is kept. */
  fold(step: number, cell: Cell): boolean {
    if (step <= this.#newest - this.#size) return false
    this.#advance(step)
    this.#oldest = Math.min(this.#oldest, step)
    const { value, weight } = folded(this.#kind, this.#read(step), cell)
    const at = this.#at(step)
    this.#cells[at] = value
    this.#cells[at + 1] = weight
    return true
  }

  cell(step: number): Cell {
    if (step < this.#oldest || step > this.#newest) return GAP
    return this.#read(step)
  }

  /** Forgets what is newer than the step, when the clock was set back. */
  rewind(step: number): void {
    if (step >= this.#newest) return
    this.#clear(Math.max(step + 1, this.#oldest), this.#newest)
    this.#newest = step
  }

  /** Takes out everything, oldest first, in runs without gaps, of at most so many cells in all. */
  take(most: number): readonly Run[] {
    const runs: Run[] = []
    let left = most
    while (!this.isEmpty && left > 0) {
      const cells: number[] = []
      const step = this.#oldest
      for (; this.#oldest <= this.#newest && left > 0; this.#oldest += 1) {
        const { value, weight } = this.#read(this.#oldest)
        if (weight === 0) break
        cells.push(value, weight)
        left -= 1
      }
      if (cells.length > 0) {
        this.#clear(step, step + cells.length / 2 - 1)
        runs.push({ step, cells: Float64Array.from(cells) })
      } else this.#oldest += 1
    }
    if (this.isEmpty) this.#oldest = Number.POSITIVE_INFINITY
    return runs
  }

  #read(step: number): Cell {
    const at = this.#at(step)
    return { value: this.#cells[at] ?? 0, weight: this.#cells[at + 1] ?? 0 }
  }

  #advance(step: number): void {
    if (step <= this.#newest) return
    this.#clear(Math.max(this.#newest + 1, step - this.#size + 1), step)
    this.#newest = step
    this.#oldest = Math.max(this.#oldest, step - this.#size + 1)
  }

  #clear(from: number, to: number): void {
    if (to - from + 1 >= this.#size) {
      this.#cells.fill(0)
      return
    }
    for (let step = from; step <= to; step += 1) {
      const at = this.#at(step)
      this.#cells[at] = 0
      this.#cells[at + 1] = 0
    }
  }

  #at(step: number): number {
    return 2 * (((step % this.#size) + this.#size) % this.#size)
  }
}
