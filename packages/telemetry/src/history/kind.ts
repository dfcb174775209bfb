/**
 * How the values of a metric become points, over time and over several processes.
 *
 * - `gauge`: the mean, weighted by what each value is of, over time and over processes (latencies, ratios).
 * - `rate`: amounts; a point is their sum per second, and processes add up (requests, tokens).
 * - `count`: amounts; a point is their sum, and processes add up.
 * - `level`: how much there is now; the mean over time, and processes add up (requests in flight).
 * - `max`, `min`: the greatest or least, over time and over processes.
 */
export type HistoryKind = 'gauge' | 'rate' | 'count' | 'level' | 'max' | 'min'

/** Every {@link HistoryKind}. */
export const HISTORY_KINDS: readonly HistoryKind[] = [
  'gauge',
  'rate',
  'count',
  'level',
  'max',
  'min',
]

/** What a step of a metric holds; a weight of 0 is a gap. */
export interface Cell {
  readonly value: number
  readonly weight: number
}

export const GAP: Cell = { value: 0, weight: 0 }

/**
 * Puts two cells of one step together. In whatever order, and in whatever parts, they come: the outcome is the
 * same, so cells of other processes, and of finer steps, are put together by it as well.
 */
export function folded(kind: HistoryKind, one: Cell, other: Cell): Cell {
  if (one.weight === 0) return other
  if (other.weight === 0) return one
  const weight = one.weight + other.weight
  if (kind === 'max') return { value: Math.max(one.value, other.value), weight }
  if (kind === 'min') return { value: Math.min(one.value, other.value), weight }
  return { value: one.value + other.value, weight }
}

/** What a value is before anything is folded to it. */
export function cellOf(kind: HistoryKind, value: number, weight: number): Cell {
  return { value: kind === 'gauge' ? value * weight : value, weight }
}

/** What a finished step of one process contributes: of a level, its mean times its seconds. */
export function contribution(kind: HistoryKind, { value, weight }: Cell, seconds: number): Cell {
  return kind === 'level' ? { value: (value / weight) * seconds, weight } : { value, weight }
}

/** The point that a cell over so many seconds stands for; `null` is a gap. */
export function pointOf(
  kind: HistoryKind,
  { value, weight }: Cell,
  seconds: number,
): number | null {
  if (weight <= 0 || seconds <= 0) return null
  let point = value
  if (kind === 'gauge') point = value / weight
  if (kind === 'rate' || kind === 'level') point = value / seconds
  return Number.isFinite(point) ? point : null
}
