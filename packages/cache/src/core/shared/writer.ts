import { randomBytes } from 'node:crypto'
import type { Stamp, Write } from '../driver.ts'
import type { Entry } from '../entry.ts'
import { ValueTooLarge } from '../envelope.ts'
import { CacheError } from '../errors.ts'
import { ALL } from '../reserved.ts'
import { askEpochs, believes, type Said } from './believing.ts'
import { KnownTags } from './known-tags.ts'
import { type Asking, DOUBTED, type Parts, stamped } from './parts.ts'

/** An entry to store, with what has to be there for that; absent: whatever is there. */
export interface Put {
  readonly key: string
  readonly entry: Entry
  readonly ifStamp: { readonly stamp: Stamp } | undefined
}

/** A put in its place among the others, as it goes to the driver. */
interface Ready extends Put {
  readonly at: number
  readonly write: Write
}

/** A put whose value can't be stored, or is too large for it. */
interface Unfit extends Put {
  readonly at: number
  readonly error: CacheError | ValueTooLarge
}

/** Stores entries in the second tier, and tells the others which. */
export class Writer {
  readonly #parts: Parts
  readonly #known = new KnownTags()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Forgets which tags the second tier knows: it may have lost them. */
  forget(): void {
    this.#known.clear()
  }

  /**
   * Stores what may be stored, and says what the first tier may keep of it. Rejects when the second tier
   * does; and with `unserializable`, once the rest is stored, for what was to be stored in any case.
   */
  async put(items: readonly Put[], ask: Asking): Promise<(Entry | undefined)[]> {
    const watch = this.#parts.watched.watch()
    const generation = this.#parts.generation()
    const kept: (Entry | undefined)[] = items.map(() => undefined)
    try {
      const { ready, unfit } = this.#prepare(items)
      for (const { at, entry } of unfit) kept[at] = entry
      const good = await this.#store(ready, ask)
      for (const { at, key, entry, write } of good) {
        const made = watch.changed(key) ? DOUBTED : generation
        kept[at] = stamped(entry, entry.seq, write.stamp, made)
      }
      await this.#announce(good, unfit, ask)
      const refused = unfit.find(({ ifStamp, error }) => {
        return ifStamp === undefined && error instanceof CacheError
      })
      if (refused !== undefined) throw refused.error
      return kept
    } finally {
      watch.end()
    }
  }

  #prepare(items: readonly Put[]) {
    const ready: Ready[] = []
    const unfit: Unfit[] = []
    items.forEach((item, at) => {
      const encoded = this.#encode(item)
      if (encoded instanceof Error) unfit.push({ ...item, at, error: encoded })
      else ready.push({ ...item, at, write: this.#write(item, encoded) })
    })
    return { ready, unfit }
  }

  #encode({ key, entry }: Put): Uint8Array | Unfit['error'] {
    try {
      return this.#parts.envelope.encode(entry)
    } catch (error) {
      const isTooLarge = error instanceof ValueTooLarge
      if (!isTooLarge && !(error instanceof CacheError)) throw error
      const reason = isTooLarge ? 'too_large' : 'unserializable'
      this.#parts.emit({ type: 'not_shared', key, reason })
      return error
    }
  }

  #write({ key, entry, ifStamp }: Put, bytes: Uint8Array): Write {
    const { names, now } = this.#parts
    const stamp = randomBytes(12).toString('base64url')
    return {
      key: names.of(key),
      bytes,
      stamp,
      ttlMs: Math.max(1, entry.staleUntil - now()),
      ifStamp,
    }
  }

  /** Those that were stored and hold. */
  async #store(ready: readonly Ready[], ask: Asking): Promise<readonly Ready[]> {
    if (ready.length === 0) return []
    const { driver, emit } = this.#parts
    const said: Said = new Map()
    const [stored] = await Promise.all([
      ask(() => driver.write(ready.map(({ write }) => write))),
      this.#makeKnown(ready, said, ask),
    ])
    const landed = ready.filter((_, index) => stored[index] === true)
    for (const one of ready) {
      if (!landed.includes(one)) emit({ type: 'not_shared', key: one.key, reason: 'superseded' })
    }
    return await this.#holding(landed, said, ask)
  }

  /** A tag that the second tier doesn't know makes every entry that bears it one that isn't believed. */
  async #makeKnown(ready: readonly Ready[], said: Said, ask: Asking): Promise<void> {
    const { driver, names, epochs } = this.#parts
    const tags = new Set([ALL])
    for (const { entry } of ready) for (const tag of entry.tags ?? []) tags.add(tag)
    const needed = Math.max(...ready.map(({ write }) => write.ttlMs))
    const missing = this.#known.missing(tags, needed)
    const lasting = this.#known.lasting(needed)
    const oldest = Math.min(...ready.map(({ entry }) => entry.seq))
    // As little as can be: another one's flight that began earlier isn't to be lost, nor the oldest of these.
    const seq = Math.max(...missing.map((tag) => epochs.maybeUntil(tag, oldest)))
    const named = missing.map((tag) => names.of(tag))
    await Promise.all([
      missing.length > 0 ? ask(() => driver.know(named, lasting, seq)) : undefined,
      epochs.sure ? undefined : askEpochs(this.#parts, [...tags], said, ask),
    ])
    this.#known.add(missing, lasting)
  }

  /**
   * An invalidation by prefix or pattern makes itself known before it sweeps. So either its sweep meets
   * what landed here, or what is looked at after the landing tells of it.
   */
  async #holding(landed: readonly Ready[], said: Said, ask: Asking): Promise<readonly Ready[]> {
    const { driver, names, matches } = this.#parts
    const late = landed.filter(({ ifStamp }) => ifStamp !== undefined)
    if (late.length > 0) {
      const [records] = await ask(() => driver.read([names.records]))
      matches.learn(records)
      const swept = late.filter(({ key, entry }) => !matches.holds(key, entry.seq))
      const gone = swept.map(({ write }) => write.key)
      if (gone.length > 0) await ask(() => driver.remove(gone, 0))
    }
    return landed.filter(({ key, entry }) => believes(this.#parts, key, entry, said))
  }

  async #announce(good: readonly Ready[], unfit: readonly Unfit[], ask: Asking): Promise<void> {
    const { driver, names, markMs, tell } = this.#parts
    // What was to replace an older value has to end it, where it can't be stored itself.
    const ended = unfit.filter(({ ifStamp }) => ifStamp === undefined).map(({ key }) => key)
    if (ended.length > 0)
      await ask(() =>
        driver.remove(
          ended.map((key) => names.of(key)),
          markMs,
        ),
      )
    const keys = [
      ...good.map(({ key, write }) => [key, write.stamp] as const),
      ...ended.map((key) => [key, undefined] as const),
    ]
    for (let at = 0; at < keys.length; at += MOST_TOLD) {
      await tell({ type: 'keys', keys: keys.slice(at, at + MOST_TOLD) }, ask)
    }
  }
}

const MOST_TOLD = 500
