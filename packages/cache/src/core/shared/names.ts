import type { Match } from '../driver.ts'
import { escapePattern } from '../match.ts'

/**
 * How a cache's keys and tags are called where several caches share a tier. A name is followed by a `:`
 * and our own keys by a NUL: none can be taken for another. The name itself is encoded, as it may hold
 * either.
 */
export class Names {
  /** What all keys of this cache begin with. */
  readonly prefix: string
  /** Where the invalidations by prefix and pattern are kept. */
  readonly records: string

  constructor(cache: string) {
    const name = encodeURIComponent(cache.toWellFormed())
    this.prefix = `${name}:`
    this.records = `${name}\u0000matches`
  }

  /** Of a key or a tag. */
  of(key: string): string {
    return this.prefix + key
  }

  keyOf(name: string): string {
    return name.slice(this.prefix.length)
  }

  match(match: Match): Match {
    return 'prefix' in match
      ? { prefix: this.prefix + match.prefix }
      : { pattern: escapePattern(this.prefix) + match.pattern }
  }
}
