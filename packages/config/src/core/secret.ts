import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/**
 * A value that never prints. Text conversion, JSON, template strings, `util.inspect` and loggers show
 * `[redacted]`; a structured clone or a spread copy holds nothing. Only {@link Secret.reveal} gives the
 * value out, so every use of it can be found by searching for that word.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    Object.freeze(this)
  }

  /** The value itself. Hand it to what needs it and keep it out of messages. */
  reveal(): string {
    return this.#value
  }

  /** Whether the other holds the same value, in a time that does not depend on where they differ. */
  equals(other: Secret | string): boolean {
    const theirs = typeof other === 'string' ? other : other.reveal()
    return timingSafeEqual(digest(this.#value), digest(theirs))
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  valueOf(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

// Digests are of equal length, which the comparison needs, and hide the values' own lengths.
function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
