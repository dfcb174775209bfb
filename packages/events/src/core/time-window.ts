import { checkWhole } from './errors.ts'
import { placeAt } from './log-id.ts'

/**
 * Entries by the time of their append, which is what their ids begin with: milliseconds since the epoch by the
 * log's clock. A log's clock doesn't step back: it stays where its newest entry is until its source is there again.
 */
export interface TimeWindow {
  /** From this time on. */
  readonly from?: number | undefined
  /** Before this time: of windows that follow each other, none has an entry of another. */
  readonly to?: number | undefined
  /** From so many milliseconds ago on, by the log's clock; with `from`, from the later one on. */
  readonly lastMs?: number | undefined
}

/** The places of a window: from `first` on, and before `end`. */
export interface Span {
  readonly first: bigint | undefined
  readonly end: bigint | undefined
}

/**
 * Refuses a window that isn't one.
 *
 * @throws EventsError `invalid_option`.
 */
export function checkWindow({ from, to, lastMs }: TimeWindow): void {
  for (const [name, value] of Object.entries({ from, to, lastMs })) {
    if (value !== undefined) checkWhole(name, value, 0)
  }
}

/** The places of a window, when the log's clock says `now`. */
export function spanOf({ from, to, lastMs }: TimeWindow, now: number): Span {
  const since = lastMs === undefined ? from : Math.max(0, now - lastMs, from ?? 0)
  return {
    first: since === undefined ? undefined : placeAt(since),
    end: to === undefined ? undefined : placeAt(to),
  }
}

/** What is known about where a page begins. */
export interface PageStart {
  readonly after: bigint | undefined
  /** The window's. */
  readonly first: bigint | undefined
  /** The place of the entry before the page's first one, or before the oldest one: there or not any more. */
  readonly before: bigint
  readonly isEmpty: boolean
}

/** Whether a reader who wants what is after a place, or in a window, may have missed some before this page. */
export function hasGap({ after, first, before, isEmpty }: PageStart): boolean {
  const goesOn = after !== undefined && (first === undefined || after >= first)
  if (goesOn) return !isEmpty && after !== before
  return first !== undefined && before >= first
}
