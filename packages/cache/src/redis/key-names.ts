import { hash } from 'node:crypto'
import type { Match } from '../core/driver.ts'
import { CacheError } from '../core/errors.ts'

/**
 * What keys are called in Redis. Entries and leases live wherever their key falls on a Cluster; all that
 * has to do with tags shares one slot, so that an invalidation is one step.
 */
export class KeyNames {
  readonly #entries: string
  readonly #leases: string
  readonly #tags: string
  /** The order of invalidations. */
  readonly clock: string

  constructor(prefix: string) {
    if (prefix === '' || /[{}]/.test(prefix)) {
      throw new CacheError(
        'invalid_option',
        'redisDriver: the prefix must have a character, and neither "{" nor "}".',
      )
    }
    // By its own prefix, so that several applications' tags don't all meet on one master.
    const slot = hash('sha256', prefix, 'base64url').slice(0, 6)
    this.#entries = `${prefix}:v:`
    this.#leases = `${prefix}:l:`
    this.#tags = `${prefix}:{${slot}}:t:`
    this.clock = `${prefix}:{${slot}}:clock`
  }

  entry(key: string): string {
    return this.#entries + key
  }

  lease(key: string): string {
    return this.#leases + key
  }

  tag(tag: string): string {
    return this.#tags + tag
  }

  /** The key of an entry's name. */
  keyOf(name: string): string {
    return name.slice(this.#entries.length)
  }

  /**
   * The pattern of `SCAN` that the entries that match have, and maybe others: its `?` is one byte, which
   * a character need not be.
   */
  glob(match: Match): string {
    if ('prefix' in match) return `${escaped(this.#entries + match.prefix)}*`
    return escaped(this.#entries) + globOf(match.pattern)
  }
}

/** As Redis gives up a pattern that holds a thousand stars, and says nothing of it. */
const MOST_STARS = 50

function globOf(pattern: string): string {
  const parts = pattern.match(/\\.|[*?]+|[^*?]/gsu) ?? []
  let [glob, stars] = ['', 0]
  for (const part of parts) {
    if (stars === MOST_STARS) break
    if (/^[*?]/.test(part)) {
      // One for all the wildcards in a row: the character of a `?` may have several bytes.
      glob += `${part.replaceAll('*', '')}*`
      stars += 1
    } else glob += escaped(part.replace(/^\\(?=.)/su, ''))
  }
  return glob
}

/** A text with nothing left in it that `SCAN` would take for something else. */
function escaped(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
