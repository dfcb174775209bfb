import { Bell } from './bell.ts'
import { checkWhole, EventsError } from './errors.ts'
import type { EventLog, LogEntry, LogPage, ReadOptions, TailOptions } from './log.ts'
import { idAtPlace, placeAt, placeOfId, timeOfPlace } from './log-id.ts'
import { checkWindow, hasGap, type Span, spanOf, type TimeWindow } from './time-window.ts'

/** How {@link memoryLog} is made. */
export interface MemoryLogOptions {
  /** How many entries are kept. Default 10,000. */
  readonly maxEntries?: number | undefined
  /** How many bytes of data are kept. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** How old, in milliseconds, an entry may be. Default: as old as it gets. */
  readonly maxAgeMs?: number | undefined
  /** Milliseconds since the epoch, of which ids are made. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * A log in the memory of this process. When its clock steps back, ids go on from the last one. What is too old is
 * let go when the log is used next.
 *
 * @throws EventsError `invalid_option`.
 */
export function memoryLog(options: MemoryLogOptions = {}): EventLog {
  return new MemoryLog(options)
}

const PAGE = 1_000
/** The array is shortened once it holds so many dropped entries, and they are half of it. */
const SLACK = 1_024
const ALL: Span = { first: undefined, end: undefined }

interface Kept extends LogEntry {
  readonly place: bigint
}

interface Page extends LogPage {
  readonly entries: readonly Kept[]
}

class MemoryLog implements EventLog {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #maxAgeMs: number
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
    maxAgeMs,
    now = Date.now,
  }: MemoryLogOptions) {
    this.#maxEntries = checkWhole('maxEntries', maxEntries, 1)
    this.#maxBytes = checkWhole('maxBytes', maxBytes, 1)
    this.#maxAgeMs =
      maxAgeMs === undefined ? Number.POSITIVE_INFINITY : checkWhole('maxAgeMs', maxAgeMs, 1)
    this.#now = now
  }

  async append(given: Uint8Array | string): Promise<string> {
    this.#checkOpen()
    const data = typeof given === 'string' ? Buffer.from(given) : given
    if (data.length > this.#maxBytes) {
      const message = `An entry of ${data.length} bytes doesn't fit into a log of ${this.#maxBytes}.`
      throw new EventsError('too_large', message)
    }
    const now = placeAt(Math.max(0, Math.trunc(this.#now())))
    this.#last = now > this.#last ? now : this.#last + 1n
    const id = idAtPlace(this.#last)
    this.#entries.push({ id, data, place: this.#last })
    this.#bytes += data.length
    this.#cap()
    this.#bell.ring()
    return id
  }

  async read({ after, limit = PAGE, ...window }: ReadOptions = {}): Promise<LogPage> {
    this.#checkOpen()
    checkWhole('limit', limit, 1)
    const point = after === undefined ? undefined : placeOfId(after)
    const { entries, gap } = this.#page(point, limit, this.#span(window))
    return { entries, gap }
  }

  async count(window: TimeWindow = {}): Promise<number> {
    this.#checkOpen()
    const span = this.#span(window)
    this.#cap()
    return Math.max(0, this.#endOf(span) - this.#startOf(undefined, span))
  }

  tail({ after = 'end', signal }: TailOptions = {}): AsyncIterable<LogPage> {
    if (after === 'start') return this.#follow(undefined, signal)
    return this.#follow(after === 'end' ? this.#last : placeOfId(after), signal)
  }

  async last(): Promise<string | undefined> {
    this.#checkOpen()
    return this.#last === 0n ? undefined : idAtPlace(this.#last)
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
      const page = this.#page(after, PAGE, ALL)
      const newest = page.entries.at(-1)
      if (newest === undefined) {
        await this.#bell.wait({ since: this.#bell.rings, signal })
        continue
      }
      after = newest.place
      yield page
    }
  }

  #page(after: bigint | undefined, limit: number, span: Span): Page {
    this.#cap()
    const from = this.#startOf(after, span)
    const to = Math.min(this.#endOf(span), from + limit)
    const entries = this.#entries.slice(from, to).filter((entry) => entry !== undefined)
    // Of what was made before this log nothing is known.
    const before = this.#entries[from - 1]?.place ?? this.#dropped
    const gap = hasGap({ after, first: span.first, before, isEmpty: entries.length === 0 })
    return { entries, gap }
  }

  #span(window: TimeWindow): Span {
    checkWindow(window)
    return spanOf(window, this.#clock())
  }

  /** Where what is after a point, and in a span, begins: a point that isn't known is before all. */
  #startOf(after: bigint | undefined, { first }: Span): number {
    const isKnown = after !== undefined && after <= this.#last
    const start = isKnown ? this.#indexAfter(after) : this.#first
    return first === undefined ? start : Math.max(start, this.#indexAfter(first - 1n))
  }

  #endOf({ end }: Span): number {
    return end === undefined ? this.#entries.length : this.#indexAfter(end - 1n)
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

  #clock(): number {
    return Math.max(Math.trunc(this.#now()), timeOfPlace(this.#last))
  }

  /** Lets go of what is too much, or too old. */
  #cap(): void {
    const oldestMs = this.#clock() - this.#maxAgeMs
    const oldest = oldestMs > 0 ? placeAt(oldestMs) : 0n
    for (;;) {
      const entry = this.#entries[this.#first]
      if (entry === undefined) break
      const tooMany = this.#entries.length - this.#first > this.#maxEntries
      if (!tooMany && this.#bytes <= this.#maxBytes && entry.place >= oldest) break
      this.#entries[this.#first] = undefined
      this.#first += 1
      this.#bytes -= entry.data.length
      this.#dropped = entry.place
    }
    if (this.#first < SLACK || this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  #checkOpen(): void {
    if (this.#closed) throw new EventsError('closed', 'The log is closed.')
  }
}
