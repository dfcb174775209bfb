/** One entry of a log. Its id is `<milliseconds>-<number>`, as Redis Streams have it: a later one is greater. */
export interface LogEntry {
  readonly id: string
  readonly data: Uint8Array
}

/** Entries after a point, oldest first. */
export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** Whether entries between the point and the first one here are gone: the reader has missed some. */
  readonly gap: boolean
}

/** An append-only log that is capped at its old end. */
export interface EventLog extends AsyncDisposable {
  /** Adds an entry at the end and returns its id. */
  append(data: Uint8Array | string): Promise<string>
  /** Reads entries after an id; without one from the oldest that is there. `limit` defaults to 1,000. */
  read(options?: {
    readonly after?: string | undefined
    readonly limit?: number | undefined
  }): Promise<LogPage>
  /**
   * Follows the log: what is there after `after` (an id, `start`, or `end`, which is the default), then what
   * is added, until the signal, in pages that are never empty unless they tell of a gap.
   */
  tail(options?: {
    readonly after?: string | undefined
    readonly signal?: AbortSignal | undefined
  }): AsyncIterable<LogPage>
  /** The id of the newest entry; `undefined` when it is empty. */
  last(): Promise<string | undefined>
  close(): Promise<void>
}
