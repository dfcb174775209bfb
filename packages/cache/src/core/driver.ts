/**
 * Says which write a stored entry is from: every write and every removal that leaves a mark has another
 * one. `undefined` is "nothing is there".
 */
export type Stamp = string | undefined

/** What is stored under a key. */
export interface Stored {
  /** Of this very write, or of the mark that a removal left. */
  readonly stamp: Stamp
  /**
   * Absent: nothing is there, or only the mark of a removal. It may be a view of far more memory: who
   * keeps it for long has to copy it.
   */
  readonly bytes: Uint8Array | undefined
}

/** One entry to store. */
export interface Write {
  readonly key: string
  /** Opaque to the driver. */
  readonly bytes: Uint8Array
  /** New for every write; 1 to 64 characters of ASCII. */
  readonly stamp: string
  /** Milliseconds for which it is kept. */
  readonly ttlMs: number
  /**
   * Stores only if what is there still has this stamp; absent: whatever is there. So a value that was
   * computed from older data can't replace a newer one, nor come back after a removal.
   */
  readonly ifStamp?: { readonly stamp: Stamp } | undefined
}

/** Which keys are meant. In a pattern `*` is any text and `?` one character; `\` takes their meaning. */
export type Match = { readonly prefix: string } | { readonly pattern: string }

/**
 * Where entries are shared between processes: the second tier of a cache. All times are the driver's own.
 * Whatever it can't do it rejects with; it is asked with a time limit by the cache, which goes on without.
 * When a call about several keys rejects, some of them may have been done, but no entry by half. Keys and
 * tags are well-formed texts of any characters.
 */
export interface CacheDriver {
  /** What is stored, in the order of the keys, in one round trip where keys may be asked together. */
  read(keys: readonly string[]): Promise<readonly Stored[]>
  /** Stores entries; says of each whether it was stored. */
  write(writes: readonly Write[]): Promise<readonly boolean[]>
  /**
   * Removes entries and leaves a mark in each one's place for `markMs`, whether there was one or not. 0
   * leaves none, but marks that are there. Returns how many entries there were; a mark isn't one.
   */
  remove(keys: readonly string[], markMs: number): Promise<number>
  /**
   * Walks the keys that match, in batches, without stopping others. A batch may be empty: it says that the
   * walk goes on. A key may come more than once, and one that only a mark is left of may come too. What is there all the while comes, or it rejects.
   */
  keys(match: Match): AsyncIterable<readonly string[]>
  /**
   * The present point in the order of invalidations: a number that grows, never goes back, not even when
   * all else is lost, and is common to all processes.
   */
  now(): Promise<number>
  /**
   * When each tag was last invalidated, in the numbers of `now()`; `undefined`: not known (any more), so
   * that nothing older than now may be believed.
   */
  epochs(tags: readonly string[]): Promise<readonly (number | undefined)[]>
  /**
   * Sees to it that each tag is known for `ttlMs` from now at least. One that isn't known (yet, or any
   * more) is taken as invalidated at `seq`: what was begun then or later holds, nothing older does. What
   * was begun before the driver lost everything never holds, whatever `seq` says.
   */
  know(tags: readonly string[], ttlMs: number, seq: number): Promise<void>
  /** Invalidates a tag: what was begun before has ended. Returns its epoch. Known for `ttlMs` from now. */
  invalidate(tag: string, ttlMs: number): Promise<number>
  /** Takes the lease of a key for `ttlMs`, for the holder of `token`; false: another has it. */
  lock(key: string, token: string, ttlMs: number): Promise<boolean>
  /** Gives a lease back, if it is still `token`'s. */
  unlock(key: string, token: string): Promise<void>
  /** Forgets connections that it opened itself. */
  close?(): Promise<void>
}

/** Tells the other processes which keys are no longer what they were. At most once, in no order. */
export interface CacheBus {
  publish(message: string): Promise<void>
  /**
   * Listens for what others (and we) publish. `onReset` is called whenever messages may have been missed:
   * when the connection is lost, and again when it is back. Resolves once it listens; when it can't yet, it
   * goes on trying and `onReset` tells of it.
   */
  subscribe(listener: {
    onMessage(message: string): void
    onReset(state: 'lost' | 'back'): void
  }): Promise<() => Promise<void>>
}
