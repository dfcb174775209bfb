import type { LogPage } from '../core/log.ts'
import { idAtPlace, placeAt, placeOfId } from '../core/log-id.ts'
import { hasGap, type Span, spanOf, type TimeWindow } from '../core/time-window.ts'
import { clockScript, countScript, lastScript } from './log-scripts.ts'
import type { EventsRedis } from './port.ts'
import { readStream, type StreamEntry, textOf } from './stream.ts'

/** The point before all entries. */
export const START = '0-0'

/** What is to be read. */
export interface Wanted {
  readonly after: string | undefined
  readonly limit: number
  readonly window?: TimeWindow
  /** Ids that a tail has had. */
  readonly had?: readonly string[]
}

/** Reads a log in a Redis Stream. */
export class LogReader {
  readonly #redis: EventsRedis
  readonly #key: string
  readonly #maxAgeMs: number | undefined

  constructor(redis: EventsRedis, key: string, maxAgeMs: number | undefined) {
    this.#redis = redis
    this.#key = key
    this.#maxAgeMs = maxAgeMs
  }

  async page({ after, limit, window = {}, had = [] }: Wanted): Promise<LogPage> {
    const point = after === undefined ? undefined : placeOfId(after)
    const { oldest, first, end } = await this.#span(window)
    const from = later(oldest, first, point === undefined ? undefined : point + 1n)
    const entries = await readStream(this.#redis, this.#key, { from, end, limit })
    const isEmpty = entries.length === 0
    if (isEmpty && after !== undefined && (await this.#isAnother(after, had))) {
      const page = await this.page({ after: undefined, limit, window })
      return { ...page, gap: page.gap || page.entries.length > 0 }
    }
    const before =
      isEmpty && first !== undefined ? await this.#before(oldest) : beforeOf(entries[0])
    return {
      entries: entries.map(({ id, fields }) => ({ id, data: fields.get('d') ?? new Uint8Array() })),
      gap: hasGap({ after: point, first, before, isEmpty }),
    }
  }

  async count(window: TimeWindow): Promise<number> {
    const { oldest, first, end } = await this.#span(window)
    const from = later(oldest, first)
    if (end !== undefined && from >= end) return 0
    const to = end === undefined ? '+' : idAtPlace(end - 1n)
    return Number(await this.#redis.evaluate(countScript, [this.#key], [idAtPlace(from), to]))
  }

  async last(): Promise<string | undefined> {
    const id = String(await this.#redis.evaluate(lastScript, [this.#key], []))
    return id === '' ? undefined : id
  }

  /** The places of a window, and the oldest one that is young enough. Redis is asked for its clock only if need be. */
  async #span(window: TimeWindow): Promise<Span & { readonly oldest: bigint }> {
    const age = this.#maxAgeMs
    if (age === undefined && window.lastMs === undefined) {
      return { ...spanOf(window, 0), oldest: 0n }
    }
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
