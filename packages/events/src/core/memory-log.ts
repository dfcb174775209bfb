import { Bell } from './bell.ts'
import { checkWhole, EventsError } from './errors.ts'
import type { EventLog, LogEntry, LogPage, ReadOptions, TailOptions } from './log.ts'
import { idAtPlace, placeOfId } from './log-id.ts'

/** How {@link memoryLog} is made. */
export interface MemoryLogOptions {
  /** How many entries are kept. Default 10,000. */
  readonly maxEntries?: number | undefined
  /** How many bytes of data are kept. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** Milliseconds since the epoch, of which ids are made. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * A log in the memory of this process. When its clock steps back, ids go on from the last one.
 *
 * @throws EventsError `invalid_option`.
 */
export function memoryLog(options: MemoryLogOptions = {}): EventLog {
  return new MemoryLog(options)
}

const PAGE = 1_000
/** The array is shortened once it holds so many dropped entries, and they are half of it. */
const SLACK = 1_024

interface Kept extends LogEntry {
  readonly place: bigint
}

interface Page extends LogPage {
  readonly entries: readonly Kept[]
}

class MemoryLog implements EventLog {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #now: () => number
  readonly #bell = new Bell()
  #entries: (Kept | undefined)[] = []
  #first = 0
  #bytes = 0
  #last = 0n
  /** The place of the newest entry that was dropped. */
  #dropped = 0n
  #closed = false

  constructor({
    maxEntries = 10_000,
    maxBytes = 64 * 1024 ** 2,
    now = Date.now,
  }: MemoryLogOptions) {
    this.#maxEntries = checkWhole('maxEntries', maxEntries, 1)
    this.#maxBytes = checkWhole('maxBytes', maxBytes, 1)
    this.#now = now
  }

  async append(given: Uint8Array | string): Promise<string> {
    this.#checkOpen()
    const data = typeof given === 'string' ? Buffer.from(given) : given
    if (data.length > this.#maxBytes) {
      const message = `An entry of ${data.length} bytes doesn't fit into a log of ${this.#maxBytes}.`
      throw new EventsError('too_large', message)
    }
    const now = BigInt(Math.max(0, Math.trunc(this.#now()))) << 64n
    this.#last = now > this.#last ? now : this.#last + 1n
    const id = idAtPlace(this.#last)
    this.#entries.push({ id, data, place: this.#last })
    this.#bytes += data.length
    this.#cap()
    this.#bell.ring()
    return id
  }

  async read({ after, limit = PAGE }: ReadOptions = {}): Promise<LogPage> {
    this.#checkOpen()
    checkWhole('limit', limit, 1)
    return this.#page(after === undefined ? undefined : placeOfId(after), limit)
  }

  tail({ after = 'end', signal }: TailOptions = {}): AsyncIterable<LogPage> {
    if (after === 'start') return this.#follow(undefined, signal)
    return this.#follow(after === 'end' ? this.#last : placeOfId(after), signal)
  }

  async last(): Promise<string | undefined> {
    this.#checkOpen()
    return this.#entries.at(-1)?.id
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#bell.ring()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async *#follow(
    from: bigint | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterable<LogPage> {
    let after = from
    while (!this.#closed && !signal?.aborted) {
      const page = this.#page(after, PAGE)
      const newest = page.entries.at(-1)
      if (newest === undefined) {
        await this.#bell.wait({ since: this.#bell.rings, signal })
        continue
      }
      after = newest.place
      yield page
    }
  }

  #page(after: bigint | undefined, limit: number): Page {
    const isKnown = after !== undefined && after <= this.#last
    const from = isKnown ? this.#indexAfter(after) : this.#first
    const entries = this.#entries.slice(from, from + limit).filter((entry) => entry !== undefined)
    // Of what was made before this log nothing is known.
    const before = this.#entries[from - 1]?.place ?? this.#dropped
    return { entries, gap: entries.length > 0 && after !== undefined && after !== before }
  }

  #indexAfter(place: bigint): number {
    let [low, high] = [this.#first, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.place ?? 0n) > place) high = middle
      else low = middle + 1
    }
    return low
  }

  #cap(): void {
    while (this.#entries.length - this.#first > this.#maxEntries || this.#bytes > this.#maxBytes) {
      const oldest = this.#entries[this.#first]
      this.#entries[this.#first] = undefined
      this.#first += 1
      this.#bytes -= oldest?.data.length ?? 0
      this.#dropped = oldest?.place ?? this.#dropped
    }
    if (this.#first < SLACK || this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  #checkOpen(): void {
    if (this.#closed) throw new EventsError('closed', 'The log is closed.')
  }
}
