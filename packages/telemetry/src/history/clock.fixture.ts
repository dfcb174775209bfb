import { createHistory } from './create-history.ts'
import type { History } from './history.ts'
import type { HistoryOptions } from './options.ts'
import type { Series } from './series.ts'

/** A full minute. */
export const START = 1_800_000_000_000

/** Time that goes on only when told. */
export class Clock {
  ms = START
  readonly now = (): number => this.ms

  advance(seconds: number): void {
    this.ms += seconds * 1_000
  }
}

/** A history that flushes only when told. */
export function historyAt(clock: Clock, options: HistoryOptions = {}): History {
  return createHistory({ now: clock.now, flushMs: 1_000_000, ...options })
}

/** The values of the only series. */
export function values([series]: readonly Series[]): readonly (number | null)[] {
  return series?.points.map(([, value]) => value) ?? []
}
