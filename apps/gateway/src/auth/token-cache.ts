import { hash } from 'node:crypto'

interface Entry<Value> {
  readonly value: Value
  readonly until: number
}

/**
 * What was found out about tokens, by their SHA-256, so that memory holds none of them. Beyond `max`
 * the one that was used longest ago is forgotten.
 */
export class TokenCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #max: number
  readonly #now: () => number

  /** @param now Milliseconds since 1970. */
  constructor(max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  static keyOf(token: string): string {
    return hash('sha256', token, 'base64')
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= this.#now()) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: Value, until: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until })
    if (this.#entries.size <= this.#max) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  get size(): number {
    return this.#entries.size
  }
}
