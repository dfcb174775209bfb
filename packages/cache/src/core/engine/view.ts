import type { LRUCache } from 'lru-cache'
import type { Accessor } from '../access.ts'
import type {
  Cache,
  CacheEntry,
  GetOrSetOptions,
  InvalidateOptions,
  InvalidateTarget,
  SetItem,
} from '../cache.ts'
import { checkNames } from '../checks.ts'
import type { Clock } from '../clock.ts'
import type { Coherence } from '../coherence.ts'
import { type Entry, NEVER } from '../entry.ts'
import type { EntryOptions, Policy } from '../entry-options.ts'
import type { Factory } from '../factory.ts'
import { checkKey } from '../keys.ts'
import type { PopularKey } from '../popularity.ts'
import { ALL, namespaceTag, userTags } from '../reserved.ts'
import { type CacheStats, Counts } from '../stats.ts'
import { type WarmItem, type WarmOptions, type WarmResult, warm } from '../warm.ts'
import {
  type CachedMethod,
  cachedMethod,
  keyMaker,
  type WrapOptions,
  type Wrapped,
  wrapFunction,
} from '../wrap.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import { find, findMany } from './find.ts'
import { invalidateAll, targetsOf } from './invalidate.ts'
import type { Learned } from './learned.ts'
import { eagerAt, obtain, renew } from './obtain.ts'
import { statsOf } from './report.ts'
import { Terms } from './terms.ts'

/** Of reads that are none of the user's. */
const UNCOUNTED = new Counts()

/** What every namespace of a cache has in common. */
export interface Shared {
  readonly engine: Engine
  readonly policy: Policy
  readonly maxKeyLength: number
  readonly learned: Learned
}

/**
 * A cache, or a namespace of one. What it does itself is what a hit costs; the rest it leaves to the engine.
 */
export class CacheView implements Cache, Accessor {
  readonly #common: Shared
  readonly #engine: Engine
  readonly #coherence: Coherence
  readonly #lru: LRUCache<string, Entry>
  readonly prefix: string
  readonly #tags: readonly string[]
  readonly #terms: Terms
  readonly #counts: Counts
  readonly #now: () => number
  readonly #clock: Clock
  readonly #eager: number | false

  constructor(common: Shared, prefix = '', tags: readonly string[] = []) {
    const { engine, policy } = common
    this.#common = common
    this.#engine = engine
    this.#coherence = engine.coherence
    this.#lru = engine.tier.lru
    this.prefix = prefix
    this.#tags = tags
    this.#terms = new Terms(policy, common.maxKeyLength, prefix, tags)
    this.#counts = engine.counts.of(prefix)
    this.#now = engine.now
    this.#clock = engine.clock
    this.#eager = policy.eager
  }

  peek<V>(key: string): V | undefined {
    const entry = this.#hit(this.prefix === '' ? key : this.prefix + key)
    return entry === undefined ? undefined : (entry.value as V)
  }

  peekEntry<V>(key: string): CacheEntry<V> | undefined {
    const now = this.#now()
    const entry = this.#engine.usable(this.#terms.key(key), now)
    return entry === undefined ? undefined : this.#describe<V>(entry, now)
  }

  get<V>(key: string): Promise<V | undefined> {
    const entry = this.#hit(this.prefix === '' ? key : this.prefix + key)
    return entry === undefined ? this.#find<V>(key) : Promise.resolve(entry.value as V)
  }

  async getEntry<V>(
    key: string,
    options: { readonly stale?: boolean | undefined } = {},
  ): Promise<CacheEntry<V> | undefined> {
    const entry = await find(this.#engine, this.#terms.key(key), this.#counts)
    const now = this.#now()
    if (entry === undefined || (now >= entry.freshUntil && options.stale !== true)) {
      this.#counts.misses += 1
      return undefined
    }
    return this.#describe<V>(entry, now)
  }

  async has(key: string): Promise<boolean> {
    const entry = await find(this.#engine, this.#terms.key(key), UNCOUNTED)
    return entry !== undefined && this.#now() < entry.freshUntil
  }

  getOrSet<V, Before = V>(
    key: string,
    factory: Factory<V, Before>,
    options?: GetOrSetOptions,
  ): Promise<V> {
    if (options === undefined || (options.fresh !== true && options.signal?.aborted !== true)) {
      const entry = this.#hit(this.prefix === '' ? key : this.prefix + key)
      if (entry !== undefined) {
        const eager = options?.eager ?? this.#eager
        if (eager !== false && this.#now() >= eagerAt(entry, eager)) {
          this.#renew(key, factory, options, entry)
        }
        return Promise.resolve(entry.value as V)
      }
    }
    return this.#obtain(key, factory, options)
  }

  async set(key: string, value: unknown, options?: EntryOptions): Promise<void> {
    await this.#engine.set([this.#terms.item(key, value, options)])
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0
  }

  async getMany<V>(keys: readonly string[]): Promise<(V | undefined)[]> {
    const entries = await findMany(this.#engine, this.#terms.keys(keys), this.#counts, this)
    return entries.map((entry) => entry?.value as V | undefined)
  }

  async setMany(items: readonly SetItem[]): Promise<void> {
    await this.#engine.set(this.#terms.items(items))
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return invalidateAll(this.#engine, [{ keys: this.#terms.keys(keys) }], true)
  }

  wrap<Args extends unknown[], R>(
    fn: (...args: Args) => R,
    options: WrapOptions<Args>,
  ): Wrapped<Args, R> {
    return wrapFunction(this, fn, keyMaker(options), this.#terms.wrapped(options))
  }

  cached<Args extends unknown[]>(options: WrapOptions<Args>): CachedMethod<Args> {
    return cachedMethod(this, keyMaker(options), this.#terms.wrapped(options))
  }

  namespace(name: string): Cache {
    const prefix = `${this.prefix}${checkKey(name)}:`
    return new CacheView(this.#common, prefix, [...this.#tags, namespaceTag(prefix)])
  }

  async invalidate(target: InvalidateTarget, options: InvalidateOptions = {}): Promise<number> {
    checkNames('invalidate', options, ['sweep'])
    const targets = targetsOf(target, this.prefix, (key) => this.#terms.key(key))
    return invalidateAll(this.#engine, targets, options.sweep !== false)
  }

  invalidateUser(id: string): Promise<number> {
    return this.invalidate({ user: id })
  }

  async clear(): Promise<number> {
    const tag = this.prefix === '' ? ALL : namespaceTag(this.prefix)
    return invalidateAll(this.#engine, [{ match: { prefix: this.prefix }, tag }], true)
  }

  warm(
    items: Iterable<WarmItem> | AsyncIterable<WarmItem>,
    options?: WarmOptions,
  ): Promise<WarmResult> {
    return warm(this, items, options)
  }

  popular(n?: number): Promise<readonly PopularKey[]> {
    return this.#common.learned.top(n, this.prefix)
  }

  stats(): CacheStats {
    return statsOf(this.#engine, this.prefix, this.#common.learned.prediction?.stats)
  }

  async close(): Promise<void> {
    if (this.prefix !== '') return
    await this.#common.learned.close()
    await this.#engine.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async fetch(
    key: string,
    factory: Factory<unknown>,
    options: EntryOptions | undefined,
  ): Promise<unknown> {
    const ask = this.#ask(key.slice(this.prefix.length), factory, options)
    return obtain(this.#engine, { ...ask, counts: UNCOUNTED })
  }

  /** A fresh entry of memory that needs no look at anything else. Nothing is made for it. */
  #hit(key: string): Entry | undefined {
    const entry = this.#lru.peek(key)
    const tick = this.#clock.tick()
    const hit =
      entry !== undefined &&
      (tick < entry.servedUntil || this.#lasts(entry)) &&
      (entry.generation === this.#coherence.generation || !this.#coherence.shared) &&
      (entry.tags === undefined || this.#coherence.holds(entry))
    if (this.#engine.watched) this.#tell(key, hit)
    if (!hit) return undefined
    if (entry.usedAt !== tick) this.#use(key, entry, tick)
    this.#counts.l1Hits += 1
    return entry
  }

  /** Looks at the time itself, in an entry's last tick. */
  #lasts({ servedUntil, believedUntil }: Entry): boolean {
    return servedUntil !== NEVER && this.#clock.ms < believedUntil
  }

  /** Moving it to the front costs as much as finding it: once in a tick is enough. */
  #use(key: string, entry: Entry, tick: number): void {
    entry.usedAt = tick
    this.#lru.get(key)
  }

  #tell(key: string, hit: boolean): void {
    this.#engine.observer?.accessed(key, hit, this)
    if (hit && this.#engine.listening) this.#engine.emit({ type: 'hit', key, tier: 'l1' })
  }

  async #find<V>(key: string): Promise<V | undefined> {
    const full = this.#terms.key(key)
    const entry = await find(this.#engine, full, this.#counts)
    if (entry !== undefined && this.#now() < entry.freshUntil) return entry.value as V
    this.#counts.misses += 1
    if (this.#engine.listening) this.#engine.emit({ type: 'miss', key: full })
    return undefined
  }

  async #obtain<V, Before>(
    key: string,
    factory: Factory<V, Before>,
    options?: GetOrSetOptions,
  ): Promise<V> {
    return (await obtain(this.#engine, this.#ask(key, factory, options))) as V
  }

  #ask<V, Before>(key: string, factory: Factory<V, Before>, options?: GetOrSetOptions): Ask {
    return this.#terms.ask(key, factory as Factory<unknown>, options, this.#counts)
  }

  #renew<V, Before>(
    key: string,
    factory: Factory<V, Before>,
    options: GetOrSetOptions | undefined,
    held: Entry,
  ): void {
    void renew(this.#engine, this.#ask(key, factory, options), held)
  }

  #describe<V>(entry: Entry, now: number): CacheEntry<V> {
    const { value, createdAt, freshUntil, tags } = entry
    return {
      value: value as V,
      createdAt,
      ageMs: Math.max(0, now - createdAt),
      state: now < freshUntil ? 'fresh' : 'stale',
      tags: userTags(tags),
    }
  }
}
