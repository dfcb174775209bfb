import type { LRUCache } from 'lru-cache'
import type { Accessor } from '../access.ts'
import type {
  Cache,
  CacheEntry,
  Factory,
  GetOrSetOptions,
  InvalidateOptions,
  InvalidateTarget,
  SetItem,
} from '../cache.ts'
import type { Clock } from '../clock.ts'
import type { Coherence } from '../coherence.ts'
import type { Entry } from '../entry.ts'
import { type EntryOptions, type Policy, resolvePolicy } from '../entry-options.ts'
import { checkKey, checkValue, fullKey } from '../keys.ts'
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
import type { Engine, Item } from './engine.ts'
import { invalidateAll, targetsOf } from './invalidate.ts'
import type { Learned } from './learned.ts'
import { eagerAt, obtain, renew } from './obtain.ts'
import { statsOf } from './report.ts'

const CALL_ONLY = ['signal', 'fresh']
const ITEM_ONLY = ['key', 'value']
const WRAP_ONLY = ['name', 'key']

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
    const entry = this.#engine.usable(this.#full(key), now)
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
    const entry = await this.#engine.find(this.#full(key), this.#counts)
    const now = this.#now()
    if (entry === undefined || (now >= entry.freshUntil && options.stale !== true)) {
      this.#counts.misses += 1
      return undefined
    }
    return this.#describe<V>(entry, now)
  }

  async has(key: string): Promise<boolean> {
    const entry = await this.#engine.find(this.#full(key), UNCOUNTED)
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
    await this.#engine.set([this.#item(key, value, this.#policyOf(options))])
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0
  }

  async getMany<V>(keys: readonly string[]): Promise<(V | undefined)[]> {
    const full = keys.map((key) => this.#full(key))
    const entries = await this.#engine.findMany(full, this.#counts, this)
    return entries.map((entry) => entry?.value as V | undefined)
  }

  async setMany(items: readonly SetItem[]): Promise<void> {
    await this.#engine.set(
      items.map((item) => this.#item(item.key, item.value, this.#policyOf(item, ITEM_ONLY))),
    )
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return invalidateAll(this.#engine, [{ keys: keys.map((key) => this.#full(key)) }], true)
  }

  wrap<Args extends unknown[], R>(
    fn: (...args: Args) => R,
    options: WrapOptions<Args>,
  ): Wrapped<Args, R> {
    return wrapFunction(this, fn, keyMaker(options), this.#entryOptions(options))
  }

  cached<Args extends unknown[]>(options: WrapOptions<Args>): CachedMethod<Args> {
    return cachedMethod(this, keyMaker(options), this.#entryOptions(options))
  }

  namespace(name: string): Cache {
    const prefix = `${this.prefix}${checkKey(name)}:`
    return new CacheView(this.#common, prefix, [...this.#tags, namespaceTag(prefix)])
  }

  async invalidate(target: InvalidateTarget, options: InvalidateOptions = {}): Promise<number> {
    const targets = targetsOf(target, this.prefix, (key) => this.#full(key))
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
    const now = this.#clock.read()
    const hit =
      entry !== undefined &&
      now < entry.believedUntil &&
      (entry.generation === this.#coherence.generation || !this.#coherence.shared) &&
      (entry.tags === undefined || this.#coherence.holds(entry))
    const { observer } = this.#engine
    if (observer !== undefined) observer.accessed(key, hit, this)
    if (!hit) return undefined
    this.#use(key, entry)
    return entry
  }

  #use(key: string, entry: Entry): void {
    // Moving it to the front costs as much as finding it: once in a millisecond is enough.
    if (entry.usedAt !== this.#clock.moment) {
      entry.usedAt = this.#clock.moment
      this.#lru.get(key)
    }
    this.#counts.l1Hits += 1
    if (this.#engine.listening) this.#engine.emit({ type: 'hit', key, tier: 'l1' })
  }

  async #find<V>(key: string): Promise<V | undefined> {
    const full = this.#full(key)
    const entry = await this.#engine.find(full, this.#counts)
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

  #renew<V, Before>(
    key: string,
    factory: Factory<V, Before>,
    options: GetOrSetOptions | undefined,
    held: Entry,
  ): void {
    void renew(this.#engine, this.#ask(key, factory, options), held)
  }

  #ask<V, Before>(
    key: string,
    factory: Factory<V, Before>,
    options: GetOrSetOptions | undefined,
  ): Ask {
    const policy = this.#policyOf(options, CALL_ONLY)
    return {
      key: this.#full(key),
      name: key,
      factory: factory as Factory<unknown>,
      policy,
      tags: this.#tagsOf(policy),
      signal: options?.signal,
      fresh: options?.fresh === true,
      counts: this.#counts,
    }
  }

  #item(key: string, value: unknown, policy: Policy): Item {
    return { key: this.#full(key), value: checkValue(value), policy, tags: this.#tagsOf(policy) }
  }

  #policyOf(options: EntryOptions | undefined, others?: readonly string[]): Policy {
    const { policy } = this.#common
    return options === undefined ? policy : resolvePolicy(policy, options, others)
  }

  #tagsOf({ tags }: Policy): readonly string[] {
    return this.#tags.length === 0 ? tags : [...tags, ...this.#tags]
  }

  /** Those of a wrapped function that are its entries', checked now and not at the first miss. */
  #entryOptions<Args extends unknown[]>(options: WrapOptions<Args>): EntryOptions {
    const { name: _name, key: _key, ...entry } = options
    this.#policyOf(options as EntryOptions, WRAP_ONLY)
    return entry
  }

  #full(key: string): string {
    return fullKey(this.prefix, key, this.#common.maxKeyLength)
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
