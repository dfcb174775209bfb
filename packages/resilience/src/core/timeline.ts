/** Something that happened to a call. */
export interface TimelineEntry {
  /**
   * - `failure`: an attempt failed, after `ms`.
   * - `wait`: nothing was done for `ms`, for `reason`.
   * - `rejected`: a policy refused the call or the attempt.
   * - `hedge`: a further attempt was sent beside one that is slow.
   * - `fallback`: the fallback answered.
   */
  readonly kind: 'failure' | 'wait' | 'rejected' | 'hedge' | 'fallback'
  /** When it began, in milliseconds since the call began. */
  readonly at: number
  /** Which attempt, counted from 1. */
  readonly attempt?: number
  /** How long it took, in milliseconds. */
  readonly ms?: number
  /** An error's code, an HTTP status, or why there was a wait. */
  readonly reason?: string
  /** Where the attempt went, without credentials. */
  readonly endpoint?: string
  /** The breaker's state at that moment. */
  readonly breaker?: 'closed' | 'open' | 'half-open'
}

/** Longer histories keep their beginning and their end. */
const MAX_ENTRIES = 64

/** The history of one call, told in its errors. */
export class Timeline {
  readonly #now: () => number
  readonly #startedAt: number
  readonly #entries: TimelineEntry[] = []

  /** @param now A clock in milliseconds that never goes back. */
  constructor(now: () => number, startedAt = now()) {
    this.#now = now
    this.#startedAt = startedAt
  }

  /** Milliseconds since the call began. */
  get elapsed(): number {
    return this.#now() - this.#startedAt
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries
  }

  /** Adds an entry; `at` is now, less `ms` where it is given, unless it is given itself. */
  add(entry: Omit<TimelineEntry, 'at'> & { readonly at?: number }): void {
    const at = entry.at ?? Math.max(0, this.elapsed - (entry.ms ?? 0))
    if (this.#entries.length >= MAX_ENTRIES) this.#entries.splice(MAX_ENTRIES / 2, 1)
    this.#entries.push({ ...entry, at })
  }
}

const timelines = new WeakMap<object, Timeline>()

/** Ties a history to an error that isn't ours: what `fn` threw is thrown on as it is. */
export function rememberTimeline(error: unknown, timeline: Timeline): void {
  if (typeof error === 'object' && error !== null) timelines.set(error, timeline)
}

/**
 * What happened in the call that ended with `error`, in order; empty when that is unknown. Works for
 * errors of this package and for those that the called function threw.
 */
export function timelineOf(error: unknown): readonly TimelineEntry[] {
  return typeof error === 'object' && error !== null ? (timelines.get(error)?.entries ?? []) : []
}
