import type { Match } from './driver.ts'
import type { EntryOptions } from './entry-options.ts'
import type { Factory } from './factory.ts'
import type { PopularKey } from './popularity.ts'
import type { CacheStats } from './stats.ts'
import type { WarmItem, WarmOptions, WarmResult } from './warm.ts'
import type { CachedMethod, WrapOptions, Wrapped } from './wrap.ts'

/**
 * A cache of one or two tiers. Keys are texts that aren't empty. Values are whatever the factory makes but
 * `undefined`, which is never stored; memory gives the same object to everybody, so nobody may change it.
 * Nothing rejects because the second tier is away.
 */
export interface Cache extends AsyncDisposable {
  /** A fresh value in memory, at once; `undefined` where one would have to look further. */
  peek<V = unknown>(key: string): V | undefined
  /** What memory has, fresh or stale. It isn't counted as a use. */
  peekEntry<V = unknown>(key: string): CacheEntry<V> | undefined
  /** A fresh value, from memory or the second tier. */
  get<V = unknown>(key: string): Promise<V | undefined>
  /** The same with what is known of it; with `stale`, also one that isn't fresh any more. */
  getEntry<V = unknown>(
    key: string,
    options?: { readonly stale?: boolean | undefined },
  ): Promise<CacheEntry<V> | undefined>
  /** Whether there is a fresh value. */
  has(key: string): Promise<boolean>
  /**
   * The value, or else what the factory makes, which is stored when this resolves. However many ask at a
   * time, one factory runs, by the options of the first. Rejects with the factory's error, with the reason of the
   * caller's own signal, or with a `CacheTimeoutError`; an abort is the caller's alone: the factory goes on
   * for the others.
   */
  getOrSet<V, Before = V>(
    key: string,
    factory: Factory<V, Before>,
    options?: GetOrSetOptions,
  ): Promise<V>
  /** Stores a value whatever is there. Resolves when the second tier has it, too. */
  set(key: string, value: unknown, options?: EntryOptions): Promise<void>
  /** Removes an entry everywhere. Says whether there was one. */
  delete(key: string): Promise<boolean>
  /** Fresh values in the order of the keys, in one round trip for those that memory hasn't. */
  getMany<V = unknown>(keys: readonly string[]): Promise<(V | undefined)[]>
  /** Stores several in one round trip. All options are checked before any is stored. */
  setMany(items: readonly SetItem[]): Promise<void>
  /** Removes several. Returns how many there were. */
  deleteMany(keys: readonly string[]): Promise<number>
  /** The function with its results cached: under `key(...args)`, or under `name` and simple arguments. */
  wrap<Args extends unknown[], R>(
    fn: (...args: Args) => R,
    options: WrapOptions<Args>,
  ): Wrapped<Args, R>
  /** The same as a standard decorator of methods that return promises. All instances share entries. */
  cached<Args extends unknown[]>(options: WrapOptions<Args>): CachedMethod<Args>
  /**
   * A cache whose keys begin with `name:`. It shares everything else: tiers, tags, limits. Closing it does
   * nothing. Use one way to a key: what is written elsewhere by its whole key, `name:key`, isn't met by an
   * `invalidate` of the namespace without `sweep`, and may still come in after one if there is no bus.
   */
  namespace(name: string): Cache
  /**
   * Makes entries invalid in all processes. With `sweep` (default) they are also removed, by walking the
   * second tier unless keys are given; without it they only end to be believed.
   *
   * Returns how many there were: in the second tier if it was walked and had more than memory, else in
   * memory. A call in flight for one of them is no longer joined, and what it makes isn't stored.
   */
  invalidate(target: InvalidateTarget, options?: InvalidateOptions): Promise<number>
  /** Makes all entries of a user invalid, in every namespace: those with the option `user`. */
  invalidateUser(id: string): Promise<number>
  /** Removes all entries of this cache or namespace. Returns how many there were. */
  clear(): Promise<number>
  /**
   * Loads entries that aren't there, some at a time, in the background of everything else. A failure is
   * counted and stops nothing.
   */
  warm(
    items: Iterable<WarmItem> | AsyncIterable<WarmItem>,
    options?: WarmOptions,
  ): Promise<WarmResult>
  /**
   * The entries that are asked for most, the best first, by their keys in this namespace. None without the
   * option `popular`. With a second tier, also what was recorded before this process was started.
   */
  popular(n?: number): Promise<readonly PopularKey[]>
  stats(): CacheStats
  /**
   * Ends it, and never rejects. Factories that somebody waits for go on and their values are given to those,
   * the others are aborted. After it everything is a miss: `getOrSet` calls its factory, `set` does nothing.
   */
  close(): Promise<void>
}

/** A value with what is known of it. */
export interface CacheEntry<V = unknown> {
  readonly value: V
  /** When it was made, in milliseconds since 1970 by the maker's clock. */
  readonly createdAt: number
  readonly ageMs: number
  readonly state: 'fresh' | 'stale'
  readonly tags: readonly string[]
}

/** How one `getOrSet` is done. */
export interface GetOrSetOptions extends EntryOptions {
  /** The caller's own: it rejects with its reason when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Calls the factory even though a fresh value is there. Then its error isn't hidden by a stale value. */
  readonly fresh?: boolean | undefined
}

/** One of several values to be stored. */
export interface SetItem extends EntryOptions {
  readonly key: string
  readonly value: unknown
}

/**
 * What is made invalid. In a `pattern` `*` is any text, `?` one character, and `\` takes their meaning.
 * Keys, prefixes and patterns are of this namespace; tags and users are of all. A key above `maxKeyLength`
 * is met by itself and by its namespace only.
 */
export type InvalidateTarget =
  | { readonly key: string }
  | { readonly keys: readonly string[] }
  | { readonly tag: string }
  | { readonly tags: readonly string[] }
  | { readonly user: string }
  | { readonly namespace: string }
  | Match

/** How something is made invalid. */
export interface InvalidateOptions {
  /** Whether entries are removed and counted in the second tier, too. Default true. */
  readonly sweep?: boolean | undefined
}
