import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'
import type { Target } from './coherence.ts'
import { type Entry, NEVER } from './entry.ts'
import { CacheError } from './errors.ts'
import { isOwn } from './keys.ts'
import { matcher } from './match.ts'
import { sizeOf } from './size-of.ts'

/** How the first tier is limited. */
export interface MemoryTierSettings {
  readonly entries: number
  readonly bytes: number | undefined
  readonly sizeOf: ((value: unknown) => number) | undefined
  readonly ttlMs: number | undefined
  readonly now: () => number
  readonly clock: Clock
  readonly onEvict: (key: string) => void
}

/** Every so many entries put in, so many are looked at: a whole round in half as many as there are. */
const SWEEP_EVERY = 16
const SWEEP_ENTRIES = 32
/** What a key and an entry take beside the value. */
const ENTRY_BYTES = 160

/**
 * The entries of a process, the least recently used leaving first. Time is not its business but for one
 * thing: what nobody may be served any more is swept out by and by, with no timer.
 */
export class MemoryTier {
  /** Asked directly where a hit must cost nothing. */
  readonly lru: LRUCache<string, Entry>
  readonly #settings: MemoryTierSettings
  readonly #counted: boolean
  #closed = false
  #evictions = 0
  #puts = 0
  #cursor: Iterator<string> | undefined

  constructor(settings: MemoryTierSettings) {
    this.#settings = settings
    const { bytes, entries } = settings
    this.#counted = bytes !== undefined
    this.#closed = entries === 0
    this.lru = new LRUCache<string, Entry>({
      max: Math.max(1, entries),
      dispose: (_entry, key, reason) => {
        if (reason !== 'evict') return
        this.#evictions += 1
        settings.onEvict(key)
      },
      ...(bytes !== undefined && {
        maxSize: bytes,
        sizeCalculation: (entry, key) => this.#sizeOf(key, entry),
      }),
    })
  }

  get size(): number {
    return this.lru.size
  }

  get bytes(): number | undefined {
    return this.#counted ? this.lru.calculatedSize : undefined
  }

  get evictions(): number {
    return this.#evictions
  }

  /** As used just now. */
  get(key: string): Entry | undefined {
    return this.lru.get(key)
  }

  /** Without a trace. */
  peek(key: string): Entry | undefined {
    return this.lru.peek(key)
  }

  put(key: string, entry: Entry): void {
    if (this.#closed) return
    this.believe(key, entry)
    this.lru.set(key, entry)
    this.#puts += 1
    if (this.#puts % SWEEP_EVERY === 0) this.#sweep()
  }

  /** From now on it is served without looking further, for as long as this tier may. */
  believe(key: string, entry: Entry): void {
    const { ttlMs, now, clock } = this.#settings
    entry.believedUntil =
      ttlMs === undefined ? entry.freshUntil : Math.min(entry.freshUntil, now() + ttlMs)
    entry.servedUntil = isOwn(key) ? NEVER : clock.tickOf(entry.believedUntil)
  }

  /** Removes what is meant. Returns how many of them could still have been served. */
  drop(target: Target): number {
    const now = this.#settings.now()
    let dropped = 0
    for (const key of 'keys' in target ? target.keys : this.#keysOf(target)) {
      const entry = this.lru.peek(key)
      if (entry === undefined) continue
      this.lru.delete(key)
      if (now < entry.staleUntil) dropped += 1
    }
    return dropped
  }

  delete(key: string): void {
    this.lru.delete(key)
  }

  close(): void {
    this.#closed = true
    this.lru.clear()
  }

  #keysOf(target: Exclude<Target, { readonly keys: readonly string[] }>): string[] {
    const keys: string[] = []
    if ('match' in target) {
      const matches = matcher(target.match)
      for (const key of this.lru.keys()) if (matches(key)) keys.push(key)
    } else {
      for (const [key, { tags }] of this.lru.entries()) {
        if (tags?.includes(target.tag) === true) keys.push(key)
      }
    }
    return keys
  }

  /** Goes on from where it was, beginning with those that weren't used for longest. */
  #sweep(): void {
    const now = this.#settings.now()
    this.#cursor ??= this.lru.rkeys()
    // What the cursor stands on is removed only once it has moved on: it couldn't go on from there.
    let expired: string | undefined
    for (let looked = 0; looked < SWEEP_ENTRIES; looked++) {
      const { done, value: key } = this.#cursor.next()
      if (expired !== undefined) this.lru.delete(expired)
      if (done === true) {
        this.#cursor = undefined
        return
      }
      const entry = this.lru.peek(key)
      expired = entry !== undefined && now >= entry.staleUntil ? key : undefined
    }
  }

  #sizeOf(key: string, entry: Entry): number {
    const size = (this.#settings.sizeOf ?? sizeOf)(entry.value)
    if (size >= 0 && size < Number.MAX_SAFE_INTEGER) {
      return Math.ceil(size) + key.length * 2 + ENTRY_BYTES
    }
    throw new CacheError('invalid_option', 'l1.sizeOf has to return a number of bytes from 0.')
  }
}
