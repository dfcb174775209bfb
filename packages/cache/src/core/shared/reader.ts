import type { Found } from '../coherence.ts'
import type { Stored } from '../driver.ts'
import { type Entry, newEntry } from '../entry.ts'
import { askEpochs, believes, openTags, type Said } from './believing.ts'
import { type Asking, DOUBTED, type Parts, Taken, unseen } from './parts.ts'
import type { Watch } from './watched.ts'
import type { Writer } from './writer.ts'

/** One key as it was found, before it is decided what is believed. */
interface Look {
  readonly key: string
  readonly stored: Stored
  /** What the second tier has, if it can be read and isn't over. */
  readonly theirs: Entry | undefined
  /** What the first tier has and the second doesn't know of. */
  readonly mine: Entry | undefined
}

interface Asked {
  readonly looks: readonly Look[]
  readonly said: Said
}

const ABSENT: Stored = Object.freeze({ stamp: undefined, bytes: undefined })

/**
 * Looks keys up in the second tier: in one round trip where the epochs of the tags are known here, or the
 * caller named the tags; in two where an entry has others.
 */
export class Reader {
  readonly #parts: Parts
  readonly #writer: Writer

  constructor(parts: Parts, writer: Writer) {
    this.#parts = parts
    this.#writer = writer
  }

  /** Rejects when the second tier does. */
  async read(
    keys: readonly string[],
    tags: readonly string[] | undefined,
    ask: Asking,
  ): Promise<readonly Found[]> {
    const parts = this.#parts
    const generation = parts.generation()
    const at = performance.now()
    const watch = parts.watched.watch()
    try {
      const { looks, said } = await this.#ask(keys, tags, ask)
      const chosen = looks.map((look) => this.#choose(look, said))
      await this.#writeBack(looks, chosen, ask)
      return looks.map((look, index) => this.#found(look, chosen[index], generation, at, watch))
    } finally {
      watch.end()
    }
  }

  async #ask(
    keys: readonly string[],
    tags: readonly string[] | undefined,
    ask: Asking,
  ): Promise<Asked> {
    const { driver, names, epochs, matches } = this.#parts
    const said: Said = new Map()
    const wanted = keys.map((key) => names.of(key))
    // Who hears all messages knows these already.
    if (!epochs.sure) wanted.push(names.records)
    const [stored] = await Promise.all([
      ask(() => driver.read(wanted)),
      askEpochs(this.#parts, epochs.unchecked(tags), said, ask),
      this.#parts.numberIsOld() ? this.#parts.renew(ask) : undefined,
    ])
    if (wanted.length > keys.length) matches.learn(stored[keys.length])
    const looks = keys.map((key, index) => this.#look(key, stored[index] ?? ABSENT))
    const entries = looks.flatMap(({ theirs, mine }) => [theirs, mine]).filter((entry) => !!entry)
    await askEpochs(this.#parts, openTags(this.#parts, entries, said), said, ask)
    return { looks, said }
  }

  #look(key: string, stored: Stored): Look {
    return { key, stored, theirs: this.#decode(key, stored), mine: this.#unsent(key) }
  }

  #decode(key: string, { stamp, bytes }: Stored): Entry | undefined {
    if (bytes === undefined) return undefined
    const { envelope, now, emit } = this.#parts
    const storable = envelope.decode(bytes)
    if (storable === undefined) emit({ type: 'unreadable', key })
    if (storable === undefined || storable.staleUntil <= now()) return undefined
    const { value, createdAt, freshUntil, staleUntil, seq, tags } = storable
    return newEntry({
      value,
      createdAt,
      freshUntil,
      staleUntil,
      tags,
      seq,
      stamp,
      generation: DOUBTED,
    })
  }

  /** Too old, and the mark of a removal may be gone by now that came after it. */
  #unsent(key: string): Entry | undefined {
    const { unsent, firstTier, flightMs } = this.#parts
    const origin = unsent.origin(key)
    if (origin === undefined) return undefined
    const entry = firstTier.get(key)
    if (entry?.stamp === undefined && performance.now() - origin.begun < flightMs) return entry
    unsent.delete(key)
    return undefined
  }

  #choose({ key, stored, theirs, mine }: Look, said: Said): Entry | undefined {
    const valid = theirs && believes(this.#parts, key, theirs, said) ? theirs : undefined
    if (mine === undefined) return valid
    // The mark of a removal doesn't say whether it came before or after.
    const removed = stored.stamp !== undefined && stored.bytes === undefined
    if (!removed && !this.#isNewer(key, valid, mine) && believes(this.#parts, key, mine, said))
      return mine
    this.#parts.unsent.delete(key)
    return valid
  }

  /**
   * Newest wins. What a factory made is only as new as the data it was made of: whatever came after it began
   * is newer, and so is what has a greater number.
   */
  #isNewer(key: string, theirs: Entry | undefined, mine: Entry): boolean {
    if (theirs === undefined) return false
    const { unsent, now } = this.#parts
    const origin = unsent.origin(key)
    if (origin === undefined || origin.explicit) return theirs.createdAt >= mine.createdAt
    const begunAt = now() - (performance.now() - origin.begun)
    return theirs.createdAt >= Math.min(begunAt, mine.createdAt) || theirs.seq > mine.seq
  }

  async #writeBack(
    looks: readonly Look[],
    chosen: (Entry | undefined)[],
    ask: Asking,
  ): Promise<void> {
    const items = looks.flatMap(({ key, mine, stored }, at) =>
      mine !== undefined && chosen[at] === mine
        ? [{ at, key, entry: mine, ifStamp: { stamp: stored.stamp } }]
        : [],
    )
    if (items.length === 0) return
    const kept = await this.#writer.put(items, ask)
    items.forEach(({ at, key }, index) => {
      this.#parts.unsent.delete(key)
      chosen[at] = kept[index]
    })
  }

  #found(
    { key, stored }: Look,
    entry: Entry | undefined,
    before: number,
    at: number,
    watch: Watch,
  ): Found {
    const { epochs } = this.#parts
    const generation = watch.changed(key) ? DOUBTED : before
    const stamp = entry?.stamp ?? stored.stamp
    if (entry !== undefined) entry.generation = generation
    return { entry, capture: new Taken(epochs.latest, stamp, generation, true, at) }
  }
}

/** What is said of keys when the second tier can't be asked. */
export function foundNothing(parts: Parts, keys: readonly string[]): readonly Found[] {
  const capture = unseen(parts)
  return keys.map(() => ({ entry: undefined, capture }))
}
