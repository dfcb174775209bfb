import { randomBytes } from 'node:crypto'
import type { Capture, Coherence, Found, Target } from '../coherence.ts'
import type { Entry } from '../entry.ts'
import { Envelope } from '../envelope.ts'
import { isCacheError } from '../errors.ts'
import { jsonSerializer } from '../serializer.ts'
import { Debts } from './debts.ts'
import { Epochs } from './epochs.ts'
import { Invalidator } from './invalidator.ts'
import { Leaders } from './leader.ts'
import { Listening } from './listening.ts'
import { Matches } from './matches.ts'
import { type Message, Messages } from './messages.ts'
import { Names } from './names.ts'
import { Outage } from './outage.ts'
import { type Asking, type Parts, type SharedOptions, stamped, Taken, unseen } from './parts.ts'
import { foundNothing, Reader } from './reader.ts'
import { payDebts } from './recovery.ts'
import { Unsent } from './unsent.ts'
import { Watched } from './watched.ts'
import { type Put, Writer } from './writer.ts'

export type { SharedOptions } from './parts.ts'

interface Item {
  readonly key: string
  readonly entry: Entry
  readonly capture: Capture | undefined
}

const LEAST_FLIGHT_MS = 300_000
/** Numbers are asked for again after so long: what is made meanwhile counts as a little older than it is. */
const RENEW_MS = 100

/**
 * Keeps a process's first tier right with a second tier that is shared, and a bus. What may be believed,
 * and for how long, is said in docs/decisions/012.
 */
export class Shared implements Coherence {
  readonly #options: SharedOptions
  readonly #parts: Parts
  readonly #outage: Outage
  readonly #epochs = new Epochs()
  readonly #listening: Listening
  readonly #leaders: Leaders
  readonly #reader: Reader
  readonly #writer: Writer
  readonly #invalidator: Invalidator
  readonly #messages: Messages
  readonly #ask: Asking = (call) => this.#outage.ask(call)
  readonly #within: Asking = (call) => this.#outage.within(call)
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(options: SharedOptions) {
    this.#options = options
    this.#messages = new Messages(options.name, randomBytes(9).toString('base64url'))
    this.#outage = this.#makeOutage()
    this.#parts = this.#makeParts()
    this.#writer = new Writer(this.#parts)
    this.#reader = new Reader(this.#parts, this.#writer)
    this.#invalidator = new Invalidator(this.#parts)
    this.#leaders = new Leaders(this.#parts)
    this.#listening = new Listening(this.#parts, options.bus, this.#messages, this.#leaders)
    this.#listening.start()
  }

  get generation(): number {
    return this.#listening.generation
  }

  get shared(): boolean {
    return this.#outage.up
  }

  holds(entry: Entry): boolean {
    return this.#epochs.holds(entry.tags, entry.seq)
  }

  capture(): Capture {
    return unseen(this.#parts)
  }

  async read(keys: readonly string[], tags?: readonly string[]): Promise<readonly Found[]> {
    if (!this.#outage.up) return foundNothing(this.#parts, keys)
    const looking = this.#reader
      .read(keys, tags, this.#ask)
      .catch(() => foundNothing(this.#parts, keys))
    const stale = this.#staleHere(keys)
    return stale === undefined ? await looking : await this.#orStale(looking, stale)
  }

  async write(items: readonly Item[]): Promise<readonly (Entry | undefined)[]> {
    if (!this.#outage.up) return items.map((item) => this.#keepHere(item))
    try {
      return await this.#write(items)
    } catch (error) {
      if (isCacheError(error)) throw error
      return items.map((item) => this.#keepHere(item))
    }
  }

  async invalidate(target: Target, { sweep }: { readonly sweep: boolean }): Promise<number> {
    if (this.#outage.up) {
      try {
        return await this.#invalidator.invalidate(target, sweep, this.#ask)
      } catch {
        // Then it is owed.
      }
    }
    this.#invalidator.hold(target)
    this.#parts.debts.owe(target)
    return 0
  }

  async lead(key: string, ttlMs: number): Promise<{ release(): Promise<void> } | undefined> {
    const alone = { release: async () => undefined }
    if (!this.#outage.up) return alone
    return await this.#leaders.lead(key, ttlMs, this.#ask).catch(() => alone)
  }

  async awaitLeader(key: string, ms: number): Promise<void> {
    if (this.#outage.up) await this.#leaders.wait(key, ms, this.#ask)
  }

  async close(): Promise<void> {
    this.#outage.close()
    await this.#within(() => this.#listening.close()).catch(() => undefined)
  }

  async #write(items: readonly Item[]): Promise<readonly (Entry | undefined)[]> {
    const explicit = items.some(({ capture }) => capture === undefined)
    const { epochs } = this.#parts
    // A value that is set has to hold against what was invalidated before, wherever that was.
    if (explicit && (!epochs.sure || this.#numberIsOld())) await this.#renew(this.#ask)
    const kept: (Entry | undefined)[] = items.map(() => undefined)
    const puts = items.flatMap((item, at) => this.#putOf(item, at) ?? [])
    const written = await this.#writer.put(puts, this.#ask)
    puts.forEach(({ at, key, before }, index) => {
      const entry = written[index]
      kept[at] = entry && this.#under(entry, before)
      this.#parts.unsent.delete(key)
      this.#leaders.done(key)
    })
    await this.#compare(items, kept)
    return kept
  }

  #putOf({ key, entry, capture }: Item, at: number): (Put & Place) | undefined {
    if (capture === undefined) {
      const seq = Math.max(entry.seq, this.#epochs.latest)
      const put = { ...entry, seq }
      return { at, key, entry: put, ifStamp: undefined, before: undefined }
    }
    if (!capture.shared || this.#tookTooLong(capture)) return undefined
    const put = { ...entry, seq: capture.seq }
    return { at, key, entry: put, ifStamp: { stamp: capture.stamp }, before: capture.generation }
  }

  /** What was made without a look at the second tier is compared with what is there: newest wins. */
  async #compare(items: readonly Item[], kept: (Entry | undefined)[]): Promise<void> {
    for (const [at, { key, entry, capture }] of items.entries()) {
      if (capture === undefined || capture.shared || this.#tookTooLong(capture)) continue
      if (!(capture instanceof Taken)) continue
      this.#parts.unsent.add(key, { begun: capture.at, explicit: false })
      const [found] = await this.#reader.read([key], entry.tags, this.#ask)
      // Another one's may be as good, but it isn't what was made here.
      if (found?.entry?.value === entry.value) kept[at] = found?.entry
    }
  }

  #tookTooLong(capture: Capture): boolean {
    return !(capture instanceof Taken) || performance.now() - capture.at > this.#parts.flightMs
  }

  /** As of the generation in which its making began. */
  #under(entry: Entry, generation: number | undefined): Entry {
    if (generation === undefined || entry.generation < generation) return entry
    return stamped(entry, entry.seq, entry.stamp, generation)
  }

  /** The first tier goes on alone with it; what others have is older. */
  #keepHere({ key, entry, capture }: Item): Entry | undefined {
    const { unsent, debts } = this.#parts
    if (capture !== undefined && this.#tookTooLong(capture)) return undefined
    const begun = capture instanceof Taken ? capture.at : performance.now()
    unsent.add(key, { begun, explicit: capture === undefined })
    if (capture === undefined || capture.stamp !== undefined) debts.oweReplacement(key)
    else debts.made(key)
    const seq = capture === undefined ? Math.max(entry.seq, this.#epochs.latest) : capture.seq
    return stamped(entry, seq, undefined, capture?.generation ?? this.generation)
  }

  /** What the first tier has for all of these, in case the second one takes too long. */
  #staleHere(keys: readonly string[]): readonly Entry[] | undefined {
    if (this.#options.softTimeoutMs === undefined) return undefined
    const now = this.#options.now()
    const here = keys.flatMap((key) => this.#options.firstTier.get(key) ?? [])
    const good = here.filter((entry) => entry.staleUntil > now && this.holds(entry))
    return good.length === keys.length && good.length > 0 ? good : undefined
  }

  async #orStale(
    looking: Promise<readonly Found[]>,
    stale: readonly Entry[],
  ): Promise<readonly Found[]> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<readonly Found[]>((resolve) => {
      const give = () => {
        const capture = unseen(this.#parts)
        resolve(stale.map((entry) => ({ entry, capture })))
      }
      timer = setTimeout(give, this.#options.softTimeoutMs)
    })
    try {
      return await Promise.race([looking, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #numberIsOld(): boolean {
    return performance.now() - this.#renewedAt > RENEW_MS
  }

  async #renew(ask: Asking): Promise<void> {
    const begun = performance.now()
    this.#epochs.note(await ask(() => this.#options.driver.now()))
    this.#renewedAt = begun
  }

  async #tell(message: Message, ask: Asking): Promise<void> {
    const { bus } = this.#options
    if (bus === undefined) return
    for (const text of this.#messages.encodeAll(message, this.#epochs.latest)) {
      await ask(() => bus.publish(text))
    }
  }

  #makeOutage(): Outage {
    const { hardTimeoutMs, random, emit } = this.#options
    return new Outage({
      limitMs: hardTimeoutMs,
      random,
      recover: () => this.#recover(),
      isSettled: () => this.#parts.debts.empty,
      onError: (error) => emit({ type: 'l2_error', error }),
      onAway: () => emit({ type: 'l2_away' }),
      onRecovered: () => emit({ type: 'recovered' }),
    })
  }

  async #recover(): Promise<void> {
    // It may have been started anew, and know nothing.
    this.#writer.forget()
    await this.#renew(this.#within)
    await payDebts(this.#parts, this.#invalidator, this.#reader, this.#within)
    await this.#listening.catchUp(this.#within)
  }

  #makeParts(): Parts {
    const { name, driver, firstTier, factoryMs, serializer, now, emit } = this.#options
    const { compressAbove, maxValueBytes } = this.#options
    const flightMs = Math.max(LEAST_FLIGHT_MS, 2 * factoryMs)
    return {
      driver,
      names: new Names(name),
      envelope: new Envelope({
        serializer: serializer ?? jsonSerializer,
        compressAbove,
        maxValueBytes,
      }),
      outage: this.#outage,
      epochs: this.#epochs,
      matches: new Matches(now),
      watched: new Watched(),
      debts: new Debts(),
      unsent: new Unsent(),
      firstTier,
      now,
      emit,
      flightMs,
      markMs: 2 * flightMs,
      generation: () => this.generation,
      numberIsOld: () => this.#numberIsOld(),
      outdateNumber: () => {
        this.#renewedAt = Number.NEGATIVE_INFINITY
      },
      renew: (ask) => this.#renew(ask),
      tell: (message, ask) => this.#tell(message, ask),
    }
  }
}

interface Place {
  readonly at: number
  readonly before: number | undefined
}
