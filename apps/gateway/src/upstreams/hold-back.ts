/** More than this is not kept back: a stream that grows larger begins to be delivered. */
const MAX_BYTES = 8 * 1024 * 1024

const FIRST_SIZE = 4 * 1024

/**
 * Keeps the beginning of a stream, so that one which breaks can begin anew elsewhere without the client
 * having seen anything of it. What is kept is copied into one block: memory stays within twice
 * `maxBytes` however small the pieces are that come in.
 *
 * For one attempt: a new one begins with a new HoldBack.
 */
export class HoldBack {
  readonly #limit: number
  readonly #maxBytes: number
  #kept = Buffer.alloc(0)
  #size = 0
  #released = false

  /** `limit`: released with the event of this number, or with nothing but the stream's end. */
  constructor(limit: number | 'full', maxBytes = MAX_BYTES) {
    this.#limit = limit === 'full' ? Number.POSITIVE_INFINITY : limit
    this.#maxBytes = maxBytes
  }

  /** Whether all that came has been handed out, and whatever comes will be at once. */
  get released(): boolean {
    return this.#released
  }

  /** How much is kept. */
  get bytes(): number {
    return this.#size
  }

  /**
   * Takes the next bytes and returns what can be delivered now: nothing until `events`, the number of
   * whole events so far with those in `bytes`, reaches the limit, the stream has `ended` well, or more
   * bytes have come than may be kept.
   */
  push(bytes: Buffer, events: number, ended: boolean): Buffer | undefined {
    if (this.#released) return bytes
    const due = ended || events >= this.#limit || this.#size + bytes.length > this.#maxBytes
    if (!due) {
      this.#keep(bytes)
      return undefined
    }
    this.#released = true
    if (this.#size === 0) return bytes
    const all = Buffer.concat([this.#kept.subarray(0, this.#size), bytes])
    this.discard()
    return all
  }

  /** Forgets what is kept: the stream broke, and nobody is to see it. */
  discard(): void {
    this.#kept = Buffer.alloc(0)
    this.#size = 0
  }

  #keep(bytes: Buffer): void {
    const size = this.#size + bytes.length
    if (size > this.#kept.length) {
      const doubled = Math.max(size, this.#kept.length * 2, FIRST_SIZE)
      const larger = Buffer.allocUnsafeSlow(Math.min(doubled, this.#maxBytes))
      this.#kept.copy(larger, 0, 0, this.#size)
      this.#kept = larger
    }
    bytes.copy(this.#kept, this.#size)
    this.#size = size
  }
}
