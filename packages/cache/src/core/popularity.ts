import { type AccessObserver, LONGEST_KEY } from './access.ts'

/** An entry that is asked for often. */
export interface PopularKey {
  readonly key: string
  /** About how often it was asked for, where what is a half-life ago counts half. */
  readonly score: number
}

/** How popular entries are recorded. */
export interface PopularityOptions {
  /** How many are remembered; default 1,000. Up to four times as many are while they are being counted. */
  readonly size?: number | undefined
  /** One in so many accesses is counted, drawn at random; default 16. */
  readonly every?: number | undefined
  /** After how many milliseconds an access counts half; default an hour. */
  readonly halfLifeMs?: number | undefined
}

interface Clocks {
  readonly now: () => number
  readonly random: () => number
}

const HOUR_MS = 3_600_000
/** Weights are taken back to 1 long before they leave the numbers that can be told apart. */
const MOST_HALF_LIVES = 256

/**
 * Counts which entries are asked for most, in bounded memory. Of most accesses it only counts down to the
 * next one to be looked at. Newer accesses weigh more, by a weight that grows, so that nothing has to be
 * taken from the older ones; and when too many keys are known, all but the best are forgotten at once.
 */
export class Popularity implements AccessObserver {
  readonly #size: number
  readonly #every: number
  readonly #halfLifeMs: number
  readonly #clocks: Clocks
  readonly #except: string | undefined
  /** In accesses of the time when the weight was 1. */
  readonly #counts = new Map<string, number>()
  #since: number
  #left: number
  #counted = 0

  /** `except` is a key that isn't counted. */
  constructor(options: PopularityOptions, clocks: Clocks, except?: string) {
    this.#size = options.size ?? 1_000
    this.#every = options.every ?? 16
    this.#halfLifeMs = options.halfLifeMs ?? HOUR_MS
    this.#clocks = clocks
    this.#except = except
    this.#since = clocks.now()
    this.#left = this.#gap()
  }

  /** How many accesses were counted, of those that were looked at. */
  get counted(): number {
    return this.#counted
  }

  /** Of how many keys something is known. */
  get known(): number {
    return this.#counts.size
  }

  accessed(key: string): void {
    this.#left -= 1
    if (this.#left > 0) return
    this.#left = this.#gap()
    if (key === this.#except || key.length > LONGEST_KEY) return
    this.#counted += 1
    this.#add(key, this.#every * this.#weight())
  }

  /** The best first. */
  top(n: number = this.#size): readonly PopularKey[] {
    const weight = this.#weight()
    const limit = Math.min(n, this.#size)
    return this.#ranked()
      .slice(0, limit)
      .map(([key, count]) => ({ key, score: count / weight }))
  }

  /** Takes in what was recorded elsewhere or earlier, at `at`; what both know counts once. */
  merge(recorded: readonly PopularKey[], at: number): void {
    const ageMs = Math.max(0, this.#clocks.now() - at)
    const weight = this.#weight() * 2 ** (-ageMs / this.#halfLifeMs)
    for (const { key, score } of recorded) {
      const missing = score * weight - (this.#counts.get(key) ?? 0)
      if (missing > 0) this.#add(key, missing)
    }
  }

  #add(key: string, amount: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + amount)
    if (this.#counts.size > this.#size * 4) this.#forget()
  }

  /** Evenly from 1 to twice the mean, so that no rhythm of the callers meets ours. */
  #gap(): number {
    return 1 + Math.floor(this.#clocks.random() * (this.#every * 2 - 1))
  }

  #weight(): number {
    const halfLives = (this.#clocks.now() - this.#since) / this.#halfLifeMs
    if (halfLives < MOST_HALF_LIVES) return 2 ** Math.max(0, halfLives)
    for (const [key, count] of this.#counts) this.#counts.set(key, count * 2 ** -halfLives)
    this.#since = this.#clocks.now()
    return 1
  }

  #ranked(): readonly (readonly [key: string, count: number])[] {
    return [...this.#counts].sort(([, a], [, b]) => b - a)
  }

  #forget(): void {
    const kept = this.#ranked().slice(0, this.#size * 2)
    this.#counts.clear()
    for (const [key, count] of kept) this.#counts.set(key, count)
  }
}
