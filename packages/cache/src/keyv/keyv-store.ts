import type { Cache, SetItem } from '../core/cache.ts'
import { wrong } from '../core/checks.ts'
import { type Duration, parseDuration } from '../core/duration.ts'
import type { EntryOptions } from '../core/entry-options.ts'

/** How a cache serves as a store of Keyv. */
export interface KeyvStoreOptions {
  /**
   * How long what Keyv sets without a ttl is kept, which to Keyv is for ever. Default `365d`. Sooner, it
   * may leave for want of room, as in any cache.
   */
  readonly ttl?: Duration | undefined
}

/** What Keyv sets several of at a time. `ttl` in milliseconds. */
export interface KeyvStoreEntry {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
}

/**
 * A cache as a storage adapter of Keyv, by its interface of version 5, which version 6 takes as well. What
 * Keyv calls a namespace is a namespace of the cache; without one, `clear` empties the whole cache, so give
 * it one of its own: `keyvStore(cache.namespace('keyv'))`. Each Keyv needs its own store, as Keyv sets the
 * store's namespace. Keys can't be iterated.
 */
export class KeyvStore {
  /** Keyv keeps here what it knows of the store. */
  readonly opts: Record<string, unknown> = {}
  readonly #cache: Cache
  readonly #ttlMs: number
  #namespace: string | undefined
  #scope: Cache

  constructor(cache: Cache, { ttl = '365d' }: KeyvStoreOptions) {
    if (typeof cache?.namespace !== 'function') {
      throw wrong('keyvStore: the cache', cache, 'what createCache returns')
    }
    this.#cache = cache
    this.#scope = cache
    this.#ttlMs = parseDuration('ttl', ttl)
  }

  /** Set by Keyv. */
  get namespace(): string | undefined {
    return this.#namespace
  }

  set namespace(namespace: string | undefined) {
    this.#namespace = namespace
    this.#scope = namespace ? this.#cache.namespace(namespace) : this.#cache
  }

  get<Value>(key: string): Promise<Value | undefined> {
    return this.#scope.get<Value>(key)
  }

  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return this.#scope.getMany<Value>(keys)
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.#scope.set(key, value, this.#terms(ttl))
    return true
  }

  async setMany(entries: readonly KeyvStoreEntry[]): Promise<boolean[]> {
    const items = entries.map(
      ({ key, value, ttl }): SetItem => ({ key, value, ...this.#terms(ttl) }),
    )
    await this.#scope.setMany(items)
    return entries.map(() => true)
  }

  delete(key: string): Promise<boolean> {
    return this.#scope.delete(key)
  }

  /** Whether any of them was there. */
  async deleteMany(keys: string[]): Promise<boolean> {
    return (await this.#scope.deleteMany(keys)) > 0
  }

  has(key: string): Promise<boolean> {
    return this.#scope.has(key)
  }

  hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.#scope.has(key)))
  }

  async clear(): Promise<void> {
    await this.#scope.clear()
  }

  /** Keyv keeps the time exactly, and serves nothing stale. */
  #terms(ttl: number | undefined): EntryOptions {
    return { ttl: ttl ? Math.max(1, Math.ceil(ttl)) : this.#ttlMs, jitter: 0, stale: 0 }
  }
}

/** The cache as a storage adapter of Keyv: `new Keyv({ store: keyvStore(cache.namespace('keyv')) })`. */
export function keyvStore(cache: Cache, options: KeyvStoreOptions = {}): KeyvStore {
  return new KeyvStore(cache, options)
}
