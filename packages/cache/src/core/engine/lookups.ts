import type { Coherence, Found, Target } from '../coherence.ts'
import type { Entry } from '../entry.ts'
import { matcher } from '../match.ts'
import type { MemoryTier } from '../memory-tier.ts'
import type { Latency } from '../stats.ts'

interface Lookup {
  readonly found: Promise<Found>
  /**
   * What of it holds when it arrives. `repeated`: it is for those who wait already, not for memory, as a
   * later one may have brought something newer. `superseded`: it is over, and for nobody, not even stale.
   */
  state: 'current' | 'repeated' | 'superseded'
}

/** Which write a look-up was superseded by. If it has found that very one, those who wait may have it. */
interface Overtaken {
  readonly key: string
  readonly stamp: string
}

/** Reads of the second tier: one at a time for a key. What they find goes to memory. */
export class Lookups {
  readonly #coherence: Coherence
  readonly #tier: MemoryTier
  readonly #latency: Latency
  readonly #pending = new Map<string, Lookup>()
  readonly #overtaken = new Map<Lookup, Overtaken>()

  constructor(coherence: Coherence, tier: MemoryTier, latency: Latency) {
    this.#coherence = coherence
    this.#tier = tier
    this.#latency = latency
  }

  one(key: string, tags: readonly string[]): Promise<Found> {
    return this.#pending.get(key)?.found ?? this.#start([key], tags)[0] ?? Promise.reject(key)
  }

  /** In the order of the keys; those that aren't looked up already in one read. */
  many(keys: readonly string[]): Promise<readonly Found[]> {
    const missing = [...new Set(keys)].filter((key) => !this.#pending.has(key))
    const started = new Map(missing.length === 0 ? [] : this.#pairs(missing))
    return Promise.all(keys.map((key) => started.get(key) ?? this.one(key, [])))
  }

  /** Something newer has come. `stamp`: of the write elsewhere that it is, if it is one. */
  supersede(key: string, stamp?: string): void {
    // Which of two writes is the newer one isn't known.
    this.#forgetOvertaken((other) => other.key === key && other.stamp !== stamp)
    const lookup = this.#end(key, 'superseded')
    if (lookup !== undefined && stamp !== undefined) this.#overtaken.set(lookup, { key, stamp })
  }

  /** The next one looks anew. */
  repeat(key: string): void {
    this.#end(key, 'repeated')
  }

  /** For a tag: all are looked up anew, as nobody knows yet what they find; who waits may have it, if it holds. */
  supersedeAll(target: Target, stored?: ReadonlyMap<string, string>): void {
    if (this.#pending.size === 0 && this.#overtaken.size === 0) return
    if ('keys' in target) {
      for (const key of target.keys) this.supersede(key, stored?.get(key))
      return
    }
    const matches = 'match' in target ? matcher(target.match) : undefined
    if (matches !== undefined) this.#forgetOvertaken(({ key }) => matches(key))
    for (const key of this.#pending.keys()) {
      if (matches === undefined) this.repeat(key)
      else if (matches(key)) this.supersede(key)
    }
  }

  #pairs(keys: readonly string[]): [string, Promise<Found>][] {
    const found = this.#start(keys)
    return keys.flatMap((key, i) => {
      const promise = found[i]
      return promise === undefined ? [] : [[key, promise]]
    })
  }

  #start(keys: readonly string[], tags?: readonly string[]): readonly Promise<Found>[] {
    const begunAt = performance.now()
    const batch = this.#coherence.read(keys, tags).then((found) => {
      if (found[0]?.capture.shared === true) this.#latency.add(performance.now() - begunAt)
      return found
    })
    return keys.map((key, i) => {
      const found = batch.then((all) => this.#arrived(key, lookup, all[i]))
      const lookup: Lookup = { found, state: 'current' }
      this.#pending.set(key, lookup)
      return found
    })
  }

  #end(key: string, state: Lookup['state']): Lookup | undefined {
    const lookup = this.#pending.get(key)
    if (lookup === undefined) return undefined
    lookup.state = state
    this.#pending.delete(key)
    return lookup
  }

  #forgetOvertaken(isOver: (overtaken: Overtaken) => boolean): void {
    for (const [lookup, overtaken] of this.#overtaken) {
      if (isOver(overtaken)) this.#overtaken.delete(lookup)
    }
  }

  #arrived(key: string, lookup: Lookup, answer: Found | undefined): Found {
    if (this.#pending.get(key) === lookup) this.#pending.delete(key)
    const found = answer ?? { entry: undefined, capture: this.#coherence.capture() }
    if (lookup.state === 'repeated') return this.#holding(found)
    if (lookup.state === 'superseded') return this.#ifOfThatWrite(lookup, found)
    if (!found.capture.shared) return found
    const held = this.#tier.peek(key)
    if (found.entry !== undefined) return { ...found, entry: this.#keep(key, held, found.entry) }
    if (held !== undefined) this.#doubt(key, held)
    return found
  }

  /** Word of a write may come before the answer that has it. */
  #ifOfThatWrite(lookup: Lookup, found: Found): Found {
    const stamp = this.#overtaken.get(lookup)?.stamp
    this.#overtaken.delete(lookup)
    if (stamp === undefined || found.entry?.stamp !== stamp) return { ...found, entry: undefined }
    return this.#holding(found)
  }

  #holding(found: Found): Found {
    const { entry } = found
    return entry === undefined || this.#coherence.holds(entry)
      ? found
      : { ...found, entry: undefined }
  }

  /** The second tier hasn't what memory has: it is gone there, or never was. */
  #doubt(key: string, held: Entry): void {
    if (held.stamp !== undefined || held.generation !== this.#coherence.generation) {
      this.#tier.delete(key)
    } else this.#tier.believe(key, held)
  }

  /** Memory goes on with the object it has, when it is the same. */
  #keep(key: string, held: Entry | undefined, found: Entry): Entry {
    if (held === undefined || held.stamp === undefined || held.stamp !== found.stamp) {
      this.#tier.put(key, found)
      return found
    }
    held.generation = found.generation
    this.#tier.believe(key, held)
    return held
  }
}
