import { limiterKey } from '../core/limiter-key.ts'
import type { Limit } from '../core/store.ts'

/** Longer subjects are hashed each time rather than kept. */
const LONGEST_SUBJECT = 256

/**
 * The keys of limiters, of which the last ones used are kept, as making one hashes the subject: at least
 * `size` of each limit and at most twice as many.
 */
export class LimiterKeys {
  readonly #prefix: string | undefined
  readonly #size: number
  readonly #known = new WeakMap<Limit, Generations>()

  constructor(prefix: string | undefined, size = 10_000) {
    this.#prefix = prefix
    this.#size = size
  }

  of(subject: string, limit: Limit): string {
    if (subject.length > LONGEST_SUBJECT) return limiterKey(subject, limit, this.#prefix)
    const known = this.#known.get(limit) ?? this.#begin(limit)
    const young = known.young.get(subject)
    if (young !== undefined) return young
    const key = known.old.get(subject) ?? limiterKey(subject, limit, this.#prefix)
    if (known.young.size >= this.#size) {
      known.old = known.young
      known.young = new Map()
    }
    known.young.set(subject, key)
    return key
  }

  #begin(limit: Limit): Generations {
    const generations = { young: new Map(), old: new Map() }
    this.#known.set(limit, generations)
    return generations
  }
}

interface Generations {
  young: Map<string, string>
  old: Map<string, string>
}
