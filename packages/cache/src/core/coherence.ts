import type { Match, Stamp } from './driver.ts'
import type { Entry } from './entry.ts'

/** What was known before a value's making began. It decides later whether the value may be stored. */
export interface Capture {
  /** The point in the order of invalidations. */
  readonly seq: number
  /** What the second tier had under the key. */
  readonly stamp: Stamp
  /** Messages may have been missed since, if it isn't {@link Coherence.generation} any more. */
  readonly generation: number
  /** Whether the second tier was asked at all: what wasn't read there isn't stored there unseen. */
  readonly shared: boolean
}

/** What the second tier said of a key. */
export interface Found {
  /** Valid by its tags and readable; maybe stale. Absent: a miss. */
  readonly entry: Entry | undefined
  readonly capture: Capture
}

/**
 * What is invalidated. A `match` with a `tag` is a namespace or everything: what matches has that reserved
 * tag, so its epoch stops those who are still making an entry, and the keys alone say what is to be swept.
 */
export type Target =
  | { readonly keys: readonly string[] }
  | { readonly tag: string }
  | { readonly match: Match; readonly tag?: string | undefined }

/**
 * What keeps a process's first tier right: alone, or with a second tier and a bus. The cache asks it on
 * every hit and around every factory. It never rejects: when the second tier is away it says so by what
 * it answers, and the first tier goes on alone.
 */
export interface Coherence {
  /** Grows when entries of the first tier may be out of date: each is looked up once before it is served. */
  readonly generation: number
  /** Whether there is a second tier that may be asked now. */
  readonly shared: boolean
  /** Whether an entry's tags still hold, as far as it is known here. Synchronous: asked on every hit. */
  holds(entry: Entry): boolean
  /** Before a factory, where there's no second tier to look at or no need. */
  capture(): Capture
  /** Looks keys up in the second tier, in their order, all at once. `tags` are those known to the caller. */
  read(keys: readonly string[], tags?: readonly string[]): Promise<readonly Found[]>
  /**
   * Stores what was made; says what the first tier may keep: the entry (with its stamp), or nothing
   * because something newer came meanwhile. `capture` absent: an explicit `set`, which always stores.
   */
  write(
    items: readonly { key: string; entry: Entry; capture: Capture | undefined }[],
  ): Promise<readonly (Entry | undefined)[]>
  /** Invalidates in the second tier and tells the others. Returns how many entries it removed there. */
  invalidate(target: Target, options: { readonly sweep: boolean }): Promise<number>
  /** The lease for a key's only factory in the cluster; `undefined`: another has it. Alone: always had. */
  lead(key: string, ttlMs: number): Promise<{ release(): Promise<void> } | undefined>
  /** Resolves when a leader elsewhere has stored the key or given up, at `ms` at the latest. */
  awaitLeader(key: string, ms: number): Promise<void>
  close(): Promise<void>
}

/** What a coherence tells its cache: the first tier is the cache's. */
export interface FirstTier {
  /**
   * Another process has changed or removed these. `stored`: the stamps of what it stored, by key; what is being
   * read now may be that already. Returns how many were here.
   */
  drop(target: Target, stored?: ReadonlyMap<string, string>): number
  /** An entry that is here now and worth comparing when the second tier is back; newest wins. */
  get(key: string): Entry | undefined
}
