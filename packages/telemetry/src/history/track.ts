import { type Cell, cellOf, contribution, folded, GAP } from './kind.ts'
import { Ring } from './ring.ts'
import type { HistoryMetric, HistoryResolution, HistoryRun } from './store.ts'

/** The two resolutions of a history. */
export interface Resolutions {
  readonly fine: HistoryResolution
  readonly coarse: HistoryResolution
}

/** How many fine steps wait for a store that is away; after that their coarse ones still do. */
const WAITING = 128

/** What one process knows of one metric. */
export class Track {
  readonly metric: HistoryMetric
  readonly fine: Ring
  readonly coarse: Ring
  readonly #resolutions: Resolutions
  /** What no store has yet. */
  readonly #waiting: Readonly<Record<keyof Resolutions, Ring>> | undefined
  #open: Cell = GAP
  /** The last fine step that something was recorded for. */
  lastStep = Number.NEGATIVE_INFINITY

  constructor(metric: HistoryMetric, resolutions: Resolutions, isStored: boolean) {
    const { fine, coarse } = resolutions
    this.metric = metric
    this.#resolutions = resolutions
    this.fine = new Ring(metric.kind, stepsOf(fine))
    this.coarse = new Ring(metric.kind, stepsOf(coarse))
    if (isStored) {
      const waiting = Math.min(WAITING, stepsOf(fine))
      this.#waiting = {
        fine: new Ring(metric.kind, waiting),
        coarse: new Ring(metric.kind, stepsOf(coarse)),
      }
    }
  }

  /** Folds a value into the open step. */
  record(step: number, value: number, weight: number): void {
    const { kind } = this.metric
    this.#open = folded(kind, this.#open, cellOf(kind, value, weight))
    this.lastStep = Math.max(this.lastStep, step)
  }

  /** Adds a value to a step that is over; false when nothing so old is kept, or the kind has no such thing. */
  recordLate(step: number, value: number, weight: number): boolean {
    const { kind } = this.metric
    return kind !== 'level' && this.#commit(step, cellOf(kind, value, weight))
  }

  /** Ends the open step. */
  close(step: number): void {
    if (this.#open.weight === 0) return
    const { kind } = this.metric
    this.#commit(step, contribution(kind, this.#open, this.#resolutions.fine.stepMs / 1_000))
    this.#open = GAP
  }

  /** Forgets what comes after a step, when the clock was set back. */
  rewind(step: number): void {
    const coarse = this.#coarseStep(step)
    this.fine.rewind(step)
    this.coarse.rewind(coarse)
    this.#waiting?.fine.rewind(step)
    this.#waiting?.coarse.rewind(coarse)
    this.lastStep = Math.min(this.lastStep, step)
  }

  /** Takes what no store has yet: of so many steps at most. */
  take(most: number): readonly HistoryRun[] {
    if (this.#waiting === undefined) return []
    const runs: HistoryRun[] = []
    let left = most
    for (const name of ['fine', 'coarse'] as const) {
      for (const run of this.#waiting[name].take(left)) {
        runs.push({ ...this.metric, ...this.#resolutions[name], ...run })
        left -= run.cells.length / 2
      }
    }
    return runs
  }

  /** What no store has yet of a step. */
  waiting(name: keyof Resolutions, step: number): Cell {
    return this.#waiting?.[name].cell(step) ?? GAP
  }

  get isWaiting(): boolean {
    return (
      this.#waiting !== undefined && !(this.#waiting.fine.isEmpty && this.#waiting.coarse.isEmpty)
    )
  }

  get bytes(): number {
    const { fine, coarse } = this.#waiting ?? {}
    return this.fine.bytes + this.coarse.bytes + (fine?.bytes ?? 0) + (coarse?.bytes ?? 0)
  }

  #commit(step: number, cell: Cell): boolean {
    const coarse = this.#coarseStep(step)
    this.fine.fold(step, cell)
    this.#waiting?.fine.fold(step, cell)
    this.#waiting?.coarse.fold(coarse, cell)
    return this.coarse.fold(coarse, cell)
  }

  #coarseStep(step: number): number {
    const { fine, coarse } = this.#resolutions
    return Math.floor((step * fine.stepMs) / coarse.stepMs)
  }
}

/** How many steps are kept. */
export function stepsOf({ stepMs, keepMs }: HistoryResolution): number {
  return Math.ceil(keepMs / stepMs)
}
