import { ResilienceError } from './errors.ts'

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

  /** What was added last. */
  get last(): TimelineEntry | undefined {
    return this.#entries.at(-1)
  }

  /** Adds an entry; `at` is now, less `ms` where it is given, unless it is given itself. */
  add(entry: Omit<TimelineEntry, 'at'> & { readonly at?: number }): void {
    const at = entry.at ?? Math.max(0, this.elapsed - (entry.ms ?? 0))
    if (this.#entries.length >= MAX_ENTRIES) this.#entries.splice(MAX_ENTRIES / 2, 1)
    this.#entries.push({ ...entry, at })
  }
}

const timelines = new WeakMap<object, readonly TimelineEntry[]>()

/**
 * Ties the history so far to an error, also to one that isn't ours: what the work threw is thrown on
 * as it is.
 */
export function rememberTimeline(error: unknown, timeline: Timeline): void {
  if (typeof error !== 'object' || error === null) return
  const { elapsed } = timeline
  const entries = timeline.entries.map((entry) => soFar(entry, elapsed))
  timelines.set(error, entries)
  if (error instanceof ResilienceError) error.timeline = entries
}

/** A wait is told when it begins, and may have been cut short. */
function soFar(entry: TimelineEntry, elapsed: number): TimelineEntry {
  const { kind, at, ms = 0 } = entry
  return kind === 'wait' && at + ms > elapsed ? { ...entry, ms: Math.max(0, elapsed - at) } : entry
}

/**
 * What happened in the call that ended with `error`, in order; empty when that is unknown. Works for
 * errors of this package and for those that the called function threw.
 */
export function timelineOf(error: unknown): readonly TimelineEntry[] {
  return typeof error === 'object' && error !== null ? (timelines.get(error) ?? []) : []
}

const MAX_REASON_LENGTH = 64

/** An error in a word: its HTTP status, its `code`, or its name. Never its message. */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error
  const { status, code, name } = error as Readonly<Record<'status' | 'code' | 'name', unknown>>
  if (typeof status === 'number') return String(status)
  const word = [code, name].find((value) => typeof value === 'string' && value !== '')
  return word === undefined ? 'error' : String(word).slice(0, MAX_REASON_LENGTH)
}
