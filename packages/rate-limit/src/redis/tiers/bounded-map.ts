import { hash } from 'node:crypto'

/** Longer subjects are kept as a hash, which is one longer than any that is kept as it is. */
const LONGEST_KEY = 64

/** How many entries are looked at to make room for a new one. */
const LOOKS = 8

interface Entry<Value> {
  value: Value
  used: boolean
}

/**
 * What is known of subjects, of at most `most` of them. Who was looked up since the last look gets a second
 * chance: a flood of subjects that are each seen once displaces itself, and looking up moves nothing.
 */
export class BoundedMap<Value> {
  readonly #most: number
  readonly #entries = new Map<string, Entry<Value>>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#entries.size
  }

  get(subject: string): Value | undefined {
    const entry = this.#entries.get(keyOf(subject))
    if (entry === undefined) return undefined
    entry.used = true
    return entry.value
  }

  set(subject: string, value: Value): void {
    const key = keyOf(subject)
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.value = value
      return
    }
    if (this.#entries.size >= this.#most) this.#makeRoom()
    this.#entries.set(ownCopy(key), { value, used: false })
  }

  delete(subject: string): void {
    this.#entries.delete(keyOf(subject))
  }

  clear(): void {
    this.#entries.clear()
  }

  #makeRoom(): void {
    let looks = 0
    for (const [key, entry] of this.#entries) {
      looks += 1
      this.#entries.delete(key)
      if (!entry.used || looks === LOOKS) return
      entry.used = false
      this.#entries.set(key, entry)
    }
  }
}

function keyOf(subject: string): string {
  return subject.length > LONGEST_KEY ? `#${hash('sha256', subject, 'hex')}` : subject
}

/** A slice of a long text would keep all of it in memory. */
function ownCopy(key: string): string {
  return ` ${key}`.slice(1)
}
