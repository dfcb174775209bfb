import { Bell } from '../core/bell.ts'
import { checkWhole, EventsError } from '../core/errors.ts'
import type { EventLog, LogPage, ReadOptions, TailOptions } from '../core/log.ts'
import { idAtPlace, placeAt, placeOfId } from '../core/log-id.ts'
import { checkWindow, hasGap, type Span, spanOf, type TimeWindow } from '../core/time-window.ts'
import { Hints } from './hints.ts'
import { appendScript, clockScript, countScript, lastScript } from './log-scripts.ts'
import { checkRedis, type EventsRedis, type EventsSubscriber } from './port.ts'
import { readStream, type StreamEntry, textOf } from './stream.ts'

/** How {@link redisLog} is made. */
export interface RedisLogOptions {
  readonly redis: EventsRedis
  /** Without it what follows the log looks for new entries every 100 ms. */
  readonly subscriber?: EventsSubscriber | undefined
  /** The key of the stream, which names the log for all processes; hints go over the channel of that name. */
  readonly key: string
  /** How many entries are kept: exactly, not about (`MAXLEN =`). Default 10,000. */
  readonly maxEntries?: number | undefined
  /**
   * How old, in milliseconds, an entry may be: exactly, by the clock of Redis. Older ones are not read from then on,
   * and leave Redis at the next append (`MINID =`, which Redis has from 6.2 on). Default: as old as it gets.
   */
  readonly maxAgeMs?: number | undefined
  /** Milliseconds after the last append until all of it expires. Default: never. */
  readonly ttlMs?: number | undefined
  /** Told why what follows the log couldn't look, each time. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * A log in a Redis Stream. Ids are by the clock of Redis. What follows it is woken by hints over pub/sub and
 * looks every second without one, so it needs no connection that blocks; while Redis is away it waits, and then
 * goes on where it was. An append that was rejected may have been made; it isn't tried again.
 *
 * @throws EventsError `invalid_option`.
 */
export function redisLog(options: RedisLogOptions): EventLog {
  return new RedisLog(options)
}

const PAGE = 1_000
/** A page of a tail: not so much that a command takes long. */
const TAIL_PAGE = 100
const START = '0-0'
/** How many ids a tail remembers, to know its log by. */
const REMEMBERED = 1_000

/** What is to be read. */
interface Wanted {
  readonly after: string | undefined
  readonly limit: number
  readonly window?: TimeWindow
  /** Ids that a tail has had. */
  readonly had?: readonly string[]
}

class RedisLog implements EventLog {
  readonly #redis: EventsRedis
  readonly #key: string
  readonly #maxEntries: number
  readonly #maxAgeMs: number | undefined
  readonly #ttlMs: number
  readonly #onError: (error: unknown) => void
  readonly #hints: Hints
  readonly #bell = new Bell()
  #closed = false

  constructor(options: RedisLogOptions) {
    const { redis, subscriber, key, maxEntries = 10_000, maxAgeMs, ttlMs = 0 } = options
    checkRedis('redisLog', redis)
    if (key === '') throw new EventsError('invalid_option', 'redisLog: its key must not be empty.')
    this.#redis = redis
    this.#key = key
    this.#onError = options.onError ?? (() => undefined)
    this.#maxEntries = checkWhole('maxEntries', maxEntries, 1)
    this.#maxAgeMs = maxAgeMs === undefined ? undefined : checkWhole('maxAgeMs', maxAgeMs, 1)
    this.#ttlMs = checkWhole('ttlMs', ttlMs, 0)
    this.#hints = new Hints(subscriber, key, () => this.#bell.ring())
  }

  async append(data: Uint8Array | string): Promise<string> {
    this.#checkOpen()
    const id = await this.#redis.evaluate(
      appendScript,
      [this.#key],
      [this.#maxEntries, this.#ttlMs, this.#maxAgeMs ?? 0, data],
    )
    this.#bell.ring()
    return String(id)
  }

  async read({ after, limit = PAGE, ...window }: ReadOptions = {}): Promise<LogPage> {
    this.#checkOpen()
    checkWhole('limit', limit, 1)
    checkWindow(window)
    return await this.#page({ after, limit, window })
  }

  async count(window: TimeWindow = {}): Promise<number> {
    this.#checkOpen()
    checkWindow(window)
    const { oldest, first, end } = await this.#span(window)
    const from = later(oldest, first)
    if (end !== undefined && from >= end) return 0
    const to = end === undefined ? '+' : idAtPlace(end - 1n)
    return Number(await this.#redis.evaluate(countScript, [this.#key], [idAtPlace(from), to]))
  }

  tail({ after = 'end', signal }: TailOptions = {}): AsyncIterable<LogPage> {
    if (after === 'start') return this.#follow(Promise.resolve(undefined), signal)
    if (after !== 'end') {
      placeOfId(after)
      return this.#follow(Promise.resolve(after), signal)
    }
    const newest = this.last().then((id) => id ?? START)
    newest.catch(() => undefined)
    return this.#follow(newest, signal)
  }

  async last(): Promise<string | undefined> {
    this.#checkOpen()
    const id = String(await this.#redis.evaluate(lastScript, [this.#key], []))
    return id === '' ? undefined : id
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#bell.ring()
    await this.#hints.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async *#follow(
    from: Promise<string | undefined>,
    signal: AbortSignal | undefined,
  ): AsyncIterable<LogPage> {
    const begin = () => this.last().then((id) => id ?? START)
    let after = await from.catch(() => this.#patiently(begin, signal))
    let had: readonly string[] = []
    while (!this.#over(signal)) {
      const since = this.#bell.rings
      const ms = this.#hints.pollMs
      const page = await this.#patiently(() => this.#page({ after, limit: TAIL_PAGE, had }), signal)
      const newest = page?.entries.at(-1)
      if (page !== undefined && newest !== undefined) {
        after = newest.id
        had = [...had, ...page.entries.map(({ id }) => id)].slice(-REMEMBERED)
        yield page
      } else await this.#bell.wait({ since, signal, ms })
    }
  }

  /** Asks again and again while Redis is away. */
  async #patiently<T>(
    ask: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    while (!this.#over(signal)) {
      try {
        return await ask()
      } catch (error) {
        this.#onError(error)
        const since = this.#bell.rings
        await this.#bell.wait({ since, signal, ms: this.#hints.pollMs })
      }
    }
    return undefined
  }

  async #page({ after, limit, window = {}, had = [] }: Wanted): Promise<LogPage> {
    const point = after === undefined ? undefined : placeOfId(after)
    const { oldest, first, end } = await this.#span(window)
    const from = later(oldest, first, point === undefined ? undefined : point + 1n)
    const entries = await readStream(this.#redis, this.#key, { from, end, limit })
    const isEmpty = entries.length === 0
    if (isEmpty && after !== undefined && (await this.#isAnother(after, had))) {
      const page = await this.#page({ after: undefined, limit, window })
      return { ...page, gap: page.gap || page.entries.length > 0 }
    }
    const before =
      isEmpty && first !== undefined ? await this.#before(oldest) : beforeOf(entries[0])
    return {
      entries: entries.map(({ id, fields }) => ({ id, data: fields.get('d') ?? new Uint8Array() })),
      gap: hasGap({ after: point, first, before, isEmpty }),
    }
  }

  /** The places of a window, and the oldest one that is young enough. Redis is asked for its clock only if need be. */
  async #span(window: TimeWindow): Promise<Span & { readonly oldest: bigint }> {
    const age = this.#maxAgeMs
    if (age === undefined && window.lastMs === undefined)
      return { ...spanOf(window, 0), oldest: 0n }
    const now = Number(await this.#redis.evaluate(clockScript, [this.#key], []))
    const oldest = age === undefined ? 0n : placeAt(Math.max(0, now - age))
    return { ...spanOf(window, now), oldest }
  }

  /** The place of the newest entry that can't be read any more. */
  async #before(oldest: bigint): Promise<bigint> {
    const [first] = await readStream(this.#redis, this.#key, { from: oldest, limit: 1 })
    return first === undefined ? placeOfId((await this.last()) ?? START) : beforeOf(first)
  }

  /** Whether the log isn't the one that had the point: it ends before it, and not where it once has. */
  async #isAnother(after: string, had: readonly string[]): Promise<boolean> {
    const newest = await this.last()
    if (newest === undefined || placeOfId(newest) >= placeOfId(after)) return false
    // A replica that took over may lack the last entries: what it has of them was had.
    return !had.includes(newest)
  }

  #over(signal: AbortSignal | undefined): boolean {
    return this.#closed || signal?.aborted === true
  }

  #checkOpen(): void {
    if (this.#closed) throw new EventsError('closed', 'The log is closed.')
  }
}

/** The place of the entry before one, which knows it. */
function beforeOf(entry: StreamEntry | undefined): bigint {
  const before = textOf(entry?.fields.get('p') ?? new Uint8Array())
  return placeOfId(before === '' ? START : before)
}

function later(place: bigint, ...others: readonly (bigint | undefined)[]): bigint {
  return others.reduce<bigint>(
    (latest, each) => (each !== undefined && each > latest ? each : latest),
    place,
  )
}
