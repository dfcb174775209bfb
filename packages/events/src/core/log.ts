import type { TimeWindow } from './time-window.ts'

/** One entry of a log. Its id is `<milliseconds>-<number>`, as Redis Streams have it: a later one is greater. */
export interface LogEntry {
  readonly id: string
  /** Must not be changed: others may read the same bytes. */
  readonly data: Uint8Array
}

/**
 * Entries after a point, oldest first. When the point is beyond the newest one, it is of a log that is gone, such
 * as one that Redis lost before its clock was set back: then from the oldest on, with a gap.
 */
export interface LogPage {
  readonly entries: readonly LogEntry[]
  /**
   * Whether the first one here isn't the one that followed the point: entries between them are gone, or the log
   * doesn't know the point, so that the reader may have missed some. Of a window that begins after the point, or
   * without one: whether entries of it are gone, or may be, also when there is none here.
   */
  readonly gap: boolean
}

/** What is read of a log: all of it, or what is in a window. */
export interface ReadOptions extends TimeWindow {
  /** The id of the last entry that the reader has had. Default: the point right before the oldest that is there. */
  readonly after?: string | undefined
  /** At most so many entries, from 1. Default 1,000. */
  readonly limit?: number | undefined
}

/** From where, and for how long, a log is followed. */
export interface TailOptions {
  /** An id, `start` (the oldest that is there) or `end` (as of the call), which is the default. */
  readonly after?: string | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
}

/** An append-only log that is capped at its old end, by number, size or age. */
export interface EventLog extends AsyncDisposable {
  /** Adds an entry at the end and returns its id. Bytes are kept as they are and must not be changed. */
  append(data: Uint8Array | string): Promise<string>
  /**
   * Reads entries after an id, of a time, or both.
   *
   * @throws EventsError `invalid_id` or `invalid_option`.
   */
  read(options?: ReadOptions): Promise<LogPage>
  /**
   * Follows the log: what is there after `after`, then what is added, until the signal or `close`, in pages
   * that are never empty. Nothing is queued for a slow reader: what is dropped before it was read is a gap.
   *
   * @throws EventsError `invalid_id`.
   */
  tail(options?: TailOptions): AsyncIterable<LogPage>
  /**
   * How many entries are there, or in a window, without reading them.
   *
   * @throws EventsError `invalid_option`.
   */
  count(window?: TimeWindow): Promise<number>
  /** The id of the newest entry, also when that is too old to be read; `undefined` when there was none. */
  last(): Promise<string | undefined>
  /** Ends what follows it; later calls reject with `closed`. */
  close(): Promise<void>
}
