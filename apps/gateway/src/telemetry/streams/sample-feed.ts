import { type EventLog, memoryLog } from '@tidegate/events'
import type { History, Series } from '@tidegate/telemetry/history'

/** The part of a history that samples are taken from. */
export type Sampled = Pick<History, 'query' | 'names'>

/** What a feed tells: its name, and its data as JSON. */
export interface FeedEvent {
  readonly event: string
  readonly data: string
}

/** Somebody who follows a feed. */
export interface Watcher {
  readonly log: EventLog
  release(): void
}

const STEP_MS = 1_000
/** How far back a reader finds samples, however long nobody has asked. */
const BACK_MS = 120_000
/** How long samples are made for a reader who has left: it may be on its way back. */
const LINGER_MS = 60_000
/** As many metrics as a history is asked for at once. */
const AT_ONCE = 200
/** Two minutes of samples, of as many metrics as there can be. */
const MEMORY = { maxEntries: 600, maxBytes: 32 * 1024 ** 2 }

/** Stands for all metrics where a name could. */
const ALL = ''

/**
 * The points of the history as they come, each second, and what else is told meanwhile. They are asked for only
 * while somebody reads. Ids are made of the instants that samples are of, so that a reader may go on at any gateway
 * that has the same history.
 */
export class SampleFeed {
  readonly #history: Sampled
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #watching = new Set<readonly string[]>()
  /** Until when a metric is wanted. */
  readonly #wanted = new Map<string, number>()
  #log = this.#newLog()
  /** The instant of the last sample. */
  #told = 0
  /** When the history was asked last. */
  #asked = 0
  #timer: NodeJS.Timeout | undefined
  #advancing: Promise<void> | undefined

  constructor(history: Sampled, now: () => number, onError: (error: unknown) => void) {
    this.#history = history
    this.#now = now
    this.#onError = onError
  }

  /** Begins to follow some metrics, or all. Resolves when the samples up to now are there. */
  async watch(metrics: readonly string[] = [ALL]): Promise<Watcher> {
    const watched = [...metrics]
    this.#watching.add(watched)
    this.#timer ??= setInterval(() => void this.advance(), STEP_MS).unref()
    await this.advance()
    return { log: this.#log, release: () => void this.#watching.delete(watched) }
  }

  /** Tells something else, in between. */
  tell(event: string, data: unknown): void {
    this.#append(event, data)
  }

  /** Adds the samples that are new. It is done by itself while somebody watches. Never rejects. */
  async advance(): Promise<void> {
    this.#advancing ??= this.#advance().finally(() => {
      this.#advancing = undefined
    })
    await this.#advancing
  }

  async close(): Promise<void> {
    this.#rest()
    await this.#log.close()
  }

  async #advance(): Promise<void> {
    const now = this.#now()
    const names = await this.#names(now)
    if (names === undefined) {
      if (this.#watching.size === 0) this.#rest()
      return
    }
    try {
      // What was told is too long ago to be joined to, or still to come by a clock that was set back.
      if (now - this.#asked > BACK_MS || this.#asked > now) await this.#beginAnew(now)
      const windowMs = Math.min(BACK_MS, Math.max(STEP_MS, now - this.#told))
      const samples = new Map<number, Record<string, number>>()
      for (let from = 0; from < names.length; from += AT_ONCE) {
        const metrics = names.slice(from, from + AT_ONCE)
        const series = await this.#history.query({ metrics, windowMs, stepMs: STEP_MS })
        for (const each of series) this.#collect(each, samples)
      }
      for (const [t, values] of [...samples].sort(([one], [other]) => one - other)) {
        this.#told = t
        this.#append('sample', { t, values })
      }
      this.#asked = now
    } catch (error) {
      this.#onError(error)
    }
  }

  /** A step without a value isn't known yet, or never will be. */
  #collect({ metric, points }: Series, samples: Map<number, Record<string, number>>): void {
    for (const [t, value] of points) {
      if (t <= this.#told || value === null) continue
      const values = samples.get(t) ?? {}
      values[metric] = value
      samples.set(t, values)
    }
  }

  /** The metrics that are wanted, of those that there are; `undefined` when nobody wants any. */
  async #names(now: number): Promise<readonly string[] | undefined> {
    for (const [metric, until] of this.#wanted) if (until < now) this.#wanted.delete(metric)
    if (this.#watching.size === 0 && this.#wanted.size === 0) return undefined
    const known = (await this.#history.names()).map(({ metric }) => metric)
    // Readers may name what isn't there, and each something else.
    const there = new Set([ALL, ...known])
    for (const metrics of this.#watching) {
      for (const metric of metrics) if (there.has(metric)) this.#wanted.set(metric, now + LINGER_MS)
    }
    return this.#wanted.has(ALL) ? known : known.filter((metric) => this.#wanted.has(metric))
  }

  async #beginAnew(now: number): Promise<void> {
    const before = this.#log
    this.#told = now - BACK_MS
    this.#asked = now
    this.#log = this.#newLog()
    await before.close()
  }

  #newLog(): EventLog {
    return memoryLog({ ...MEMORY, now: () => this.#told })
  }

  #append(event: string, data: unknown): void {
    this.#log.append(`${event}\n${JSON.stringify(data)}`).catch(this.#onError)
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** An entry of a feed, as it was told. */
export function feedEvent(data: Uint8Array): FeedEvent {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
  const at = text.indexOf('\n')
  return { event: text.slice(0, at), data: text.slice(at + 1) }
}
