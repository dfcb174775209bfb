import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { CacheDriver, Match, Stamp, Stored, Write } from './driver.ts'
import { CacheError } from './errors.ts'
import { matcher } from './match.ts'

/** How {@link memoryDriver} is made. */
export interface MemoryDriverOptions {
  /** How many entries (and marks), tags and leases are kept, of each. Default 10,000. */
  readonly maxEntries?: number | undefined
  /** How many bytes of entries are kept. Default 256 MiB. */
  readonly maxBytes?: number | undefined
  /** The time in milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** A driver whose data are in this process. */
export interface MemoryDriver extends CacheDriver {
  /** Loses everything but the order of invalidations, as a server does that is started anew. */
  forget(): void
}

interface Slot {
  readonly stamp: string
  /** Absent: a mark. */
  readonly bytes: Uint8Array | undefined
  readonly until: number
}

interface Epoch {
  readonly seq: number
  readonly until: number
}

const NOTHING: Stored = Object.freeze({ stamp: undefined, bytes: undefined })
/** What an entry takes beside its bytes, about. */
const SLOT_BYTES = 100

/**
 * A second tier in this process: for tests, and for caches that share it. It is bounded: beyond that, what
 * was used least lately goes, marks too, so that a late write may pass; a tag that went isn't known any
 * more, so that what bears it isn't believed.
 *
 * @throws CacheError `invalid_option` for a bound that is no count.
 */
export function memoryDriver(options: MemoryDriverOptions = {}): MemoryDriver {
  const { maxEntries = 10_000, maxBytes = 256 * 2 ** 20, now = Date.now } = options
  for (const [option, value] of Object.entries({ maxEntries, maxBytes })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new CacheError('invalid_option', `memoryDriver: ${option} must be a whole number from 1.`)
  }
  return new InMemory(maxEntries, maxBytes, now)
}

class InMemory implements MemoryDriver {
  readonly #now: () => number
  readonly #slots: LRUCache<string, Slot>
  readonly #epochs: LRUCache<string, Epoch>
  readonly #leases: LRUCache<string, { readonly token: string; readonly until: number }>
  #seq = 0
  /** What was begun before this may have been invalidated without a trace. */
  #born: number

  constructor(max: number, maxBytes: number, now: () => number) {
    this.#now = now
    this.#slots = new LRUCache({
      max,
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => SLOT_BYTES + (bytes?.length ?? 0),
    })
    this.#epochs = new LRUCache({ max })
    this.#leases = new LRUCache({ max })
    this.#born = this.#tick()
  }

  async read(keys: readonly string[]): Promise<readonly Stored[]> {
    return keys.map((key) => {
      const slot = this.#slot(key)
      return slot === undefined ? NOTHING : { stamp: slot.stamp, bytes: slot.bytes?.slice() }
    })
  }

  async write(writes: readonly Write[]): Promise<readonly boolean[]> {
    return writes.map(({ key, bytes, stamp, ttlMs, ifStamp }) => {
      if (ifStamp !== undefined && this.#stamp(key) !== ifStamp.stamp) return false
      // Sliced, as what the caller does with its bytes later is its own affair.
      this.#slots.set(key, { stamp, bytes: bytes.slice(), until: this.#now() + ttlMs })
      return this.#slots.has(key)
    })
  }

  async remove(keys: readonly string[], markMs: number): Promise<number> {
    let removed = 0
    for (const key of keys) {
      const slot = this.#slot(key)
      const isEntry = slot?.bytes !== undefined
      if (isEntry) removed += 1
      if (markMs > 0) {
        const until = Math.max(this.#now() + markMs, isEntry ? 0 : (slot?.until ?? 0))
        this.#slots.set(key, { stamp: randomUUID(), bytes: undefined, until })
      } else if (isEntry) this.#slots.delete(key)
    }
    return removed
  }

  async *keys(match: Match): AsyncIterable<readonly string[]> {
    const isMeant = matcher(match)
    const all = [...this.#slots.keys()]
    for (let at = 0; at < all.length; at += 500) {
      yield all.slice(at, at + 500).filter((key) => isMeant(key) && this.#slot(key))
    }
  }

  async now(): Promise<number> {
    return this.#tick()
  }

  async epochs(tags: readonly string[]): Promise<readonly (number | undefined)[]> {
    return tags.map((tag) => this.#epoch(tag)?.seq)
  }

  async know(tags: readonly string[], ttlMs: number, seq: number): Promise<void> {
    for (const tag of tags) {
      const known = this.#epoch(tag)
      const until = Math.max(this.#now() + ttlMs, known?.until ?? 0)
      this.#epochs.set(tag, { seq: known?.seq ?? Math.max(seq, this.#born), until })
    }
  }

  async invalidate(tag: string, ttlMs: number): Promise<number> {
    const until = Math.max(this.#now() + ttlMs, this.#epoch(tag)?.until ?? 0)
    const seq = this.#tick()
    this.#epochs.set(tag, { seq, until })
    return seq
  }

  async lock(key: string, token: string, ttlMs: number): Promise<boolean> {
    const lease = this.#leases.get(key)
    if (lease !== undefined && lease.until > this.#now()) return false
    this.#leases.set(key, { token, until: this.#now() + ttlMs })
    return true
  }

  async unlock(key: string, token: string): Promise<void> {
    if (this.#leases.get(key)?.token === token) this.#leases.delete(key)
  }

  forget(): void {
    this.#slots.clear()
    this.#epochs.clear()
    this.#leases.clear()
    this.#born = this.#tick()
  }

  #slot(key: string): Slot | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined || slot.until > this.#now()) return slot
    this.#slots.delete(key)
    return undefined
  }

  #stamp(key: string): Stamp {
    return this.#slot(key)?.stamp
  }

  #epoch(tag: string): Epoch | undefined {
    const epoch = this.#epochs.get(tag)
    return epoch !== undefined && epoch.until > this.#now() ? epoch : undefined
  }

  #tick(): number {
    this.#seq = Math.max(this.#seq + 1, Math.floor(this.#now() * 1_000))
    return this.#seq
  }
}
