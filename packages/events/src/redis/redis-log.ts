import { Bell } from '../core/bell.ts'
import { checkWhole, EventsError } from '../core/errors.ts'
import type { EventLog, LogPage, ReadOptions, TailOptions } from '../core/log.ts'
import { placeOfId } from '../core/log-id.ts'
import { checkWindow, type TimeWindow } from '../core/time-window.ts'
import { Hints } from './hints.ts'
import { LogReader, START } from './log-reader.ts'
import { appendScript } from './log-scripts.ts'
import { checkRedis, type EventsRedis, type EventsSubscriber } from './port.ts'
import { SharedCalls } from './shared-calls.ts'

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
/** How many ids a tail remembers, to know its log by. */
const REMEMBERED = 1_000

class RedisLog implements EventLog {
  readonly #redis: EventsRedis
  readonly #key: string
  readonly #maxEntries: number
  readonly #maxAgeMs: number | undefined
  readonly #ttlMs: number
  readonly #onError: (error: unknown) => void
  readonly #hints: Hints
  readonly #bell = new Bell()
  readonly #reader: LogReader
  /** Reads for all tails that stand at the same point at once. */
  readonly #follower: LogReader
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
    const shared = new SharedCalls(redis, () => this.#bell.rings)
    this.#reader = new LogReader(redis, key, this.#maxAgeMs)
    this.#follower = new LogReader(shared, key, this.#maxAgeMs)
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
    return await this.#reader.page({ after, limit, window })
  }

  async count(window: TimeWindow = {}): Promise<number> {
    this.#checkOpen()
    checkWindow(window)
    return await this.#reader.count(window)
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
    return await this.#reader.last()
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
      const page = await this.#patiently(
        () => this.#follower.page({ after, limit: TAIL_PAGE, had }),
        signal,
      )
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

  #over(signal: AbortSignal | undefined): boolean {
    return this.#closed || signal?.aborted === true
  }

  #checkOpen(): void {
    if (this.#closed) throw new EventsError('closed', 'The log is closed.')
  }
}
