import { type Cell, folded, GAP, pointOf } from './kind.ts'
import type { HistoryMetric, HistoryRun } from './store.ts'

/** A metric over a window. */
export interface Series {
  readonly metric: string
  readonly kind: HistoryMetric['kind']
  readonly unit: string
  readonly stepMs: number
  /** The beginning of each step, in milliseconds since 1970, and its point; `null` where nothing is known. */
  readonly points: readonly (readonly [number, number | null])[]
}

/** Which steps are asked for: those of `stepMs`, made of the ones that are kept. */
export interface Span {
  /** The length of the steps that are kept, and the first and the last of them. */
  readonly keptMs: number
  readonly from: number
  readonly to: number
  /** The length of the steps that are asked for: so many kept ones. */
  readonly stepMs: number
  /** Where the open step begins: nothing is known from there on. */
  readonly end: number
  /** Up to when every process has told everything. */
  readonly toldUntil: number
}

/** The span of a window that ends now: whole steps, the last of which may be open. */
export function spanOf(windowMs: number, stepMs: number, keptMs: number, end: number): Span {
  const last = Math.floor((end - 1) / stepMs)
  const first = last - Math.ceil(windowMs / stepMs) + 1
  const perStep = stepMs / keptMs
  const [from, to] = [first * perStep, (last + 1) * perStep - 1]
  return { keptMs, from, to, stepMs, end, toldUntil: Number.POSITIVE_INFINITY }
}

/** Cells of kept steps as points of the steps asked for. */
export function seriesOf(
  { metric, kind, unit }: HistoryMetric,
  cellAt: (step: number) => Cell,
  { keptMs, from, to, stepMs, end, toldUntil }: Span,
): Series {
  const perStep = stepMs / keptMs
  const points: [number, number | null][] = []
  for (let step = from; step <= to; step += perStep) {
    const begin = step * keptMs
    const until = Math.min(begin + stepMs, end)
    let cell = GAP
    for (let at = step; at < step + perStep; at += 1) cell = folded(kind, cell, cellAt(at))
    const point = until <= toldUntil ? pointOf(kind, cell, (until - begin) / 1_000) : null
    points.push([begin, point])
  }
  return { metric, kind, unit, stepMs, points }
}

/** Folds runs into cells that begin with the step `from`. */
export function foldRuns(
  { kind }: HistoryMetric,
  cells: Float64Array,
  from: number,
  runs: Iterable<Pick<HistoryRun, 'step' | 'cells'>>,
): void {
  for (const run of runs) {
    for (let at = 0; at < run.cells.length; at += 2) {
      const into = 2 * (run.step - from) + at
      if (into >= 0 && into < cells.length) foldAt(kind, cells, into, cellAt(run.cells, at))
    }
  }
}

/** Folds a cell into the one at an index. */
function foldAt(kind: HistoryMetric['kind'], cells: Float64Array, index: number, cell: Cell): void {
  const { value, weight } = folded(kind, cellAt(cells, index), cell)
  cells[index] = value
  cells[index + 1] = weight
}

export function cellAt(cells: Float64Array, index: number): Cell {
  return { value: cells[index] ?? 0, weight: cells[index + 1] ?? 0 }
}
