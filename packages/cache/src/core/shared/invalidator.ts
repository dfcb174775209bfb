import { randomBytes } from 'node:crypto'
import type { Target } from '../coherence.ts'
import type { Match } from '../driver.ts'
import type { MatchRecord } from './matches.ts'
import type { Asking, Parts } from './parts.ts'
import { sweepMatch, sweepTag } from './sweep.ts'

const MOST_KEYS = 500
const MOST_TRIES = 20
/** For how long a tag's invalidation is known at least. Writes make it longer where an entry needs it. */
const TAG_MS = 604_800_000

/** Invalidates in the second tier and tells the others. */
export class Invalidator {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Rejects when the second tier does; what was done by then may be done again. */
  async invalidate(target: Target, sweep: boolean, ask: Asking): Promise<number> {
    if ('keys' in target) return await this.#keys(target.keys, ask)
    const match = 'match' in target ? target.match : undefined
    const { tag } = target
    if (tag === undefined) return match === undefined ? 0 : await this.#match(match, ask)
    const epoch = await this.#tag(tag, match, ask)
    if (!sweep) return 0
    if (match !== undefined) return await sweepMatch(this.#parts, match, ask)
    return await sweepTag(this.#parts, tag, epoch, ask)
  }

  /** What can be done without the second tier: what is made from now on is told from what was. */
  hold(target: Target): void {
    const { epochs, matches, now, markMs } = this.#parts
    if ('keys' in target) return
    const seq = epochs.advance()
    if (target.tag !== undefined) epochs.hear(target.tag, seq)
    else if ('match' in target) matches.add({ match: target.match, seq, until: now() + markMs })
  }

  async #keys(keys: readonly string[], ask: Asking): Promise<number> {
    const { driver, names, markMs, tell } = this.#parts
    let removed = 0
    for (let at = 0; at < keys.length; at += MOST_KEYS) {
      const some = keys.slice(at, at + MOST_KEYS)
      removed += await ask(() =>
        driver.remove(
          some.map((key) => names.of(key)),
          markMs,
        ),
      )
      await tell({ type: 'keys', keys: some.map((key) => [key, undefined]) }, ask)
    }
    return removed
  }

  async #tag(tag: string, match: Match | undefined, ask: Asking): Promise<number> {
    const { driver, names, epochs, tell } = this.#parts
    const epoch = await ask(() => driver.invalidate(names.of(tag), TAG_MS))
    epochs.note(epoch)
    epochs.hear(tag, epoch)
    await tell({ type: 'tag', tag, epoch, match }, ask)
    return epoch
  }

  async #match(match: Match, ask: Asking): Promise<number> {
    const { driver, epochs, matches, now, markMs, tell } = this.#parts
    const seq = await ask(() => driver.now())
    epochs.note(seq)
    const record = { match, seq, until: now() + markMs }
    matches.add(record)
    await this.#record(record, ask)
    await tell({ type: 'match', record }, ask)
    return await sweepMatch(this.#parts, match, ask)
  }

  /** Adds to the list that all processes share; anew when another one has added to it meanwhile. */
  async #record(record: MatchRecord, ask: Asking): Promise<void> {
    const { driver, names, matches, markMs } = this.#parts
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const [there] = await ask(() => driver.read([names.records]))
      matches.learn(there)
      matches.add(record)
      const write = {
        key: names.records,
        bytes: matches.encode(),
        stamp: randomBytes(12).toString('base64url'),
        ttlMs: markMs,
        ifStamp: { stamp: there?.stamp },
      }
      const [stored] = await ask(() => driver.write([write]))
      if (stored === true) return
    }
    await ask(async () => {
      throw new Error('Too many processes invalidate by prefix or pattern at once.')
    })
  }
}
