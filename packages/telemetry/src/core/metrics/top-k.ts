import { isRecordable } from './distribution.ts'
import type { NumberPoint } from './family.ts'
import type { InstrumentParts } from './parts.ts'
import { maxValueLength, overflowValue } from './series-table.ts'

/** How the greatest few of many keys are counted. */
export interface TopKSpec {
  /** One sentence about what is counted. */
  readonly help: string
  /** As of any metric. */
  readonly unit?: string
  /** The one label, which has the key. */
  readonly label: string
  /** How many keys have a series of their own. Default: 50. */
  readonly k?: number
}

/**
 * A counter by key where keys are many and most of them small: the `k` greatest have series, all else is
 * in the series `other`, and the sum is exact. Memory is for `k` keys (Metwally's space-saving).
 */
export interface TopK {
  readonly name: string
  /** Adds 1 or `amount` to a key. What is not a number from 0 to 2^63 is dropped and counted. */
  add(key: string, amount?: number): void
  /**
   * The keys that are followed, greatest first. `count` is what was counted for sure since the key was last
   * taken in; what it had before that, at most `missed`, is in `other`.
   */
  top(): readonly { readonly key: string; readonly count: number; readonly missed: number }[]
  /** Of all keys. */
  readonly total: number
}

interface Kept {
  readonly key: string
  readonly createdAt: number
  readonly missed: number
  count: number
}

export class KeptTopK implements TopK {
  readonly name: string
  readonly #parts: InstrumentParts
  readonly #createdAt: number
  readonly #kept = new Map<string, Kept>()
  #total = 0
  /** Kept rather than subtracted: rounding must not let a counter go down. */
  #others = 0

  constructor(parts: InstrumentParts) {
    this.name = parts.name
    this.#parts = parts
    this.#createdAt = parts.now()
  }

  get total(): number {
    return this.#total
  }

  add(key: string, amount = 1): void {
    if (typeof key !== 'string' || !isRecordable(amount)) {
      this.#parts.onRefused()
      return
    }
    this.#total += amount
    const kept = this.#kept.get(key)
    if (kept !== undefined) kept.count += amount
    else this.#takeIn(key.slice(0, maxValueLength).toWellFormed(), amount)
  }

  top(): readonly { readonly key: string; readonly count: number; readonly missed: number }[] {
    return [...this.#kept.values()]
      .map(({ key, count, missed }) => ({ key, count, missed }))
      .sort((one, other) => other.count + other.missed - (one.count + one.missed))
  }

  /** `other` never goes down: a key that is dropped gives its count to it, and nothing is taken from it. */
  points(): readonly NumberPoint[] {
    const points = Array.from(this.#kept.values(), ({ key, count, createdAt }) => ({
      labels: [key],
      value: count,
      createdAt,
    }))
    const others = { labels: [overflowValue], value: this.#others, createdAt: this.#createdAt }
    return [...points, others]
  }

  #takeIn(key: string, amount: number): void {
    if (key === overflowValue) {
      this.#others += amount
      return
    }
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      kept.count += amount
      return
    }
    const missed = this.#kept.size < this.#parts.maxSeries ? 0 : this.#dropLeast()
    this.#kept.set(key, { key, createdAt: this.#parts.now(), missed, count: amount })
  }

  #dropLeast(): number {
    let least: Kept | undefined
    for (const kept of this.#kept.values()) {
      if (least === undefined || kept.count + kept.missed < least.count + least.missed) least = kept
    }
    if (least === undefined) return 0
    this.#kept.delete(least.key)
    this.#others += least.count
    return least.count + least.missed
  }
}
