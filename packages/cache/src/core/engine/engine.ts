import type { AccessObserver } from '../access.ts'
import type { Clock } from '../clock.ts'
import type { Capture, Coherence, FirstTier, Target } from '../coherence.ts'
import { type Entry, newEntry } from '../entry.ts'
import type { Policy } from '../entry-options.ts'
import type { CacheEvent, CacheListener } from '../events.ts'
import type { Flight } from '../flight.ts'
import { matcher } from '../match.ts'
import type { MemoryTier } from '../memory-tier.ts'
import { CountsByPrefix, Latency } from '../stats.ts'
import { Lookups } from './lookups.ts'
import { Pauses } from './pauses.ts'

/** One value to be stored, with the options for it. */
export interface Item {
  readonly key: string
  readonly value: unknown
  readonly policy: Policy
  readonly tags: readonly string[]
}

/** What an engine is made of. */
export interface EngineParts {
  readonly tier: MemoryTier
  readonly now: () => number
  readonly clock: Clock
  readonly random: () => number
  readonly listener: CacheListener | undefined
}

/** An invalidation on its way to the second tier, and what was stored since. */
interface Pending {
  readonly target: Target
  readonly since: Set<string>
}

/**
 * What all namespaces of a cache share: its tiers, what is in flight, and the rule that whatever is newer
 * puts an end to what was begun before it.
 */
export class Engine implements FirstTier {
  readonly tier: MemoryTier
  readonly now: () => number
  /** The same for hits. */
  readonly clock: Clock
  readonly flights = new Map<string, Flight>()
  readonly pauses: Pauses
  readonly latency = new Latency()
  readonly counts = new CountsByPrefix()
  readonly listening: boolean
  /** Whether anybody is told of hits. */
  watched: boolean
  readonly #random: () => number
  readonly #listener: CacheListener | undefined
  readonly #pending = new Set<Pending>()
  #coherence: Coherence | undefined
  #lookups: Lookups | undefined
  #observer: AccessObserver | undefined
  #closed = false

  constructor({ tier, now, clock, random, listener }: EngineParts) {
    this.tier = tier
    this.now = now
    this.clock = clock
    this.#random = random
    this.#listener = listener
    this.listening = listener !== undefined
    this.watched = this.listening
    this.pauses = new Pauses(now)
  }

  /** The second half of its making: a coherence has to know whose first tier it keeps right. */
  attach(coherence: Coherence): this {
    this.#coherence = coherence
    this.#lookups = new Lookups(coherence, this.tier, this.latency)
    return this
  }

  /** Told of every access, for what learns from them. */
  get observer(): AccessObserver | undefined {
    return this.#observer
  }

  set observer(observer: AccessObserver | undefined) {
    this.#observer = observer
    this.watched = this.listening || observer !== undefined
  }

  get coherence(): Coherence {
    if (this.#coherence === undefined) throw new Error('Engine: attach a coherence first.')
    return this.#coherence
  }

  get lookups(): Lookups {
    if (this.#lookups === undefined) throw new Error('Engine: attach a coherence first.')
    return this.#lookups
  }

  get closed(): boolean {
    return this.#closed
  }

  emit(event: CacheEvent): void {
    try {
      this.#listener?.(event)
    } catch {
      // A listener's fault is none of the callers'.
    }
  }

  /** Whether nothing speaks against an entry of memory, as far as it is known without looking. */
  believes(entry: Entry): boolean {
    const { coherence } = this
    return (
      (entry.generation === coherence.generation || !coherence.shared) &&
      (entry.tags === undefined || coherence.holds(entry))
    )
  }

  /** Whether an entry of memory may be served as fresh without a look at the second tier. */
  serves(entry: Entry, now: number): boolean {
    if (now >= entry.freshUntil || !this.believes(entry)) return false
    return now < entry.believedUntil || !this.coherence.shared
  }

  /** An entry of memory that may be served for want of a better: stale, or not looked up in time. */
  usable(key: string, now: number): Entry | undefined {
    const entry = this.tier.peek(key)
    if (entry === undefined) return undefined
    if (now < entry.staleUntil) return this.believes(entry) ? entry : undefined
    this.tier.delete(key)
    return undefined
  }

  make(item: Item, capture: Capture, ttlMs = ttlOf(item.policy, item.value)): Entry {
    const { policy, tags, value } = item
    const createdAt = this.now()
    const freshUntil = createdAt + ttlMs * (1 - policy.jitter * this.#random())
    return newEntry({
      value,
      createdAt,
      freshUntil,
      staleUntil: freshUntil + policy.staleMs,
      tags: tags.length === 0 ? undefined : [...new Set(tags)].sort(),
      seq: capture.seq,
      stamp: undefined,
      generation: capture.generation,
    })
  }

  /** Puts an entry into memory, and ends what was begun before it. */
  put(key: string, entry: Entry): void {
    this.tier.put(key, entry)
    this.lookups.supersede(key)
    this.pauses.end(key)
  }

  /** Stores values whatever is there. What has no time to live is removed. */
  async set(items: readonly Item[]): Promise<void> {
    if (this.#closed) return
    const writes = items.map((item) => {
      const entry = this.make(item, this.coherence.capture())
      return { key: item.key, entry, capture: undefined }
    })
    const now = this.now()
    const kept = writes.filter(({ entry }) => now < entry.staleUntil)
    const gone = writes.filter(({ entry }) => now >= entry.staleUntil).map(({ key }) => key)
    for (const { key, entry } of kept) {
      for (const { since } of this.#pending) since.add(key)
      this.#end(key)
      this.put(key, entry)
      if (this.listening) this.emit({ type: 'set', key })
    }
    const removed = gone.length > 0 ? this.invalidate([{ keys: gone }], true) : undefined
    const { shared } = this.coherence
    if (kept.length > 0) this.settle(kept, await this.coherence.write(kept))
    // A flight that began meanwhile may have seen what was there before.
    if (shared) for (const { key } of kept) this.#end(key)
    await removed
  }

  /**
   * Memory keeps what the second tier says of a write, unless it has something else by now. What was read
   * there while the write was on its way may be from before it, and nobody would ever tell.
   */
  settle(
    writes: readonly { readonly key: string; readonly entry: Entry }[],
    kept: readonly (Entry | undefined)[],
  ): void {
    writes.forEach(({ key, entry }, i) => {
      const stored = kept[i]
      const held = this.tier.peek(key)
      if (stored?.stamp !== undefined) this.lookups.supersede(key)
      if (held === entry) {
        if (stored === undefined) this.tier.delete(key)
        else if (stored !== entry) this.tier.put(key, stored)
      } else if (stored?.stamp !== undefined && held?.stamp !== undefined) {
        if (held.stamp !== stored.stamp) this.tier.delete(key)
      }
    })
  }

  /** Removes from memory, and ends flights and lookups. Returns how many entries there were. */
  drop(target: Target, stored?: ReadonlyMap<string, string>): number {
    this.lookups.supersedeAll(target, stored)
    this.pauses.endAll(target)
    if ('keys' in target) for (const key of target.keys) this.#end(key)
    else {
      const matches = 'match' in target ? matcher(target.match) : undefined
      for (const flight of this.flights.values()) {
        if (matches === undefined) flight.lose('tag' in target ? (target.tag ?? '') : '')
        else if (matches(flight.key)) flight.superseded = true
        if (flight.superseded) this.land(flight)
      }
    }
    return this.tier.drop(target)
  }

  get(key: string): Entry | undefined {
    return this.tier.peek(key)
  }

  /** Invalidates in both tiers. Returns how many entries there were in the one that had more. */
  async invalidate(targets: readonly Target[], sweep: boolean): Promise<number> {
    const here = sum(targets.map((target) => this.drop(target)))
    if (this.#closed) return here
    const there = await Promise.all(targets.map((target) => this.#invalidateShared(target, sweep)))
    return Math.max(here, sum(there))
  }

  async #invalidateShared(target: Target, sweep: boolean): Promise<number> {
    const { coherence } = this
    const pending: Pending = { target, since: new Set() }
    // What is read from the second tier before it has heard of this would be the old again.
    if (coherence.shared) this.#pending.add(pending)
    try {
      return await coherence.invalidate(target, { sweep })
    } finally {
      if (this.#pending.delete(pending)) this.#dropAgain(pending)
    }
  }

  /** A flight that is no longer to be joined. */
  land(flight: Flight): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.tier.close()
    for (const flight of this.flights.values()) {
      flight.superseded = true
      if (!flight.wanted) flight.abort(new DOMException('The cache was closed.', 'AbortError'))
    }
    this.flights.clear()
    await this.coherence.close()
  }

  #end(key: string): void {
    const flight = this.flights.get(key)
    if (flight === undefined) return
    flight.superseded = true
    this.flights.delete(key)
  }

  #dropAgain({ target, since }: Pending): void {
    const saved = [...since].flatMap((key) => {
      const entry = this.tier.peek(key)
      return entry === undefined ? [] : [[key, entry] as const]
    })
    this.drop(target)
    for (const [key, entry] of saved) this.tier.put(key, entry)
  }
}

/** `null` has a time of its own. */
function ttlOf({ ttlMs, negativeTtlMs }: Policy, value: unknown): number {
  return value === null ? (negativeTtlMs ?? ttlMs) : ttlMs
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
