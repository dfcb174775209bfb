import { ALL } from '../reserved.ts'

const MOST_TAGS = 100_000

/** Which stretch of uninterrupted listening something was learnt in. */
export type Stretch = object

/**
 * When each tag was invalidated last, as far as this process knows: what it heard from others or asked
 * for. While it hears everything ("sure"), an entry whose making began after the listening did needs no
 * question: had one of its tags been invalidated since, it would be known here.
 */
export class Epochs {
  readonly #most: number
  /** Only ever greater; what is heard while unsure counts as well. In the order of being heard. */
  readonly #heard = new Map<string, number>()
  /** Of `ALL`, which is never forgotten. */
  #all = 0
  /** No tag that was forgotten here has a greater epoch. */
  #forgotten = 0
  /** Tags whose epochs from before the listening are known too. */
  #checked = new Set<string>()
  #since = Number.POSITIVE_INFINITY
  #stretch: Stretch = {}
  #latest = 0

  constructor(most: number = MOST_TAGS) {
    this.#most = most
  }

  /** The greatest number ever heard of: all that were given out up to it had been when it was heard. */
  get latest(): number {
    return this.#latest
  }

  get sure(): boolean {
    return this.#since !== Number.POSITIVE_INFINITY
  }

  get stretch(): Stretch {
    return this.#stretch
  }

  /** Takes note that a number was given out. */
  note(seq: number): void {
    if (seq > this.#latest) this.#latest = seq
  }

  /**
   * A tag was invalidated at `epoch`. Somebody says so: it isn't noted as given out before the second tier
   * has said it too, or a wrong number would make all that is made from now on look newer than anything.
   */
  hear(tag: string, epoch: number): void {
    if (tag === ALL) {
      this.#all = Math.max(this.#all, epoch)
      return
    }
    const known = this.#heard.get(tag)
    if (known !== undefined && known >= epoch) return
    this.#heard.delete(tag)
    this.#heard.set(tag, epoch)
    if (this.#heard.size > this.#most) this.#forgetOldest()
  }

  /** Where nobody can give out a number: one that what is begun from here on isn't less than. */
  advance(): number {
    this.#latest += 1
    return this.#latest
  }

  /** What was asked for, and in which stretch: what came too late to be completed by messages isn't kept. */
  learn(tag: string, epoch: number | undefined, stretch: Stretch): void {
    if (epoch === undefined) return
    this.note(epoch)
    this.hear(tag, epoch)
    if (stretch !== this.#stretch) return
    if (this.#checked.size >= this.#most) this.#checked.clear()
    this.#checked.add(tag)
  }

  /** All messages since `since` have been heard and will be, until `reset`. */
  begin(since: number, stretch: Stretch): void {
    this.note(since)
    if (stretch === this.#stretch) this.#since = since
  }

  /** Messages may be missed from here on. */
  reset(): void {
    this.#since = Number.POSITIVE_INFINITY
    this.#checked = new Set()
    this.#stretch = {}
  }

  /**
   * Until when a tag that the second tier doesn't know may have been invalidated, seen from a flight that began
   * at `begun`: that nothing of it is lost while the flight lasts is taken for granted, and what was heard counts.
   */
  maybeUntil(tag: string, begun: number): number {
    if (!this.sure) return begun
    const heard = tag === ALL ? this.#all : (this.#heard.get(tag) ?? this.#forgotten)
    return Math.max(Math.min(this.#since, begun), heard)
  }

  /** Whether nothing that is known here speaks against an entry. */
  holds(tags: readonly string[] | undefined, seq: number): boolean {
    if (seq < this.#all) return false
    if (tags === undefined) return true
    for (const tag of tags) if (!this.#allows(tag, seq)) return false
    return true
  }

  /** Which of an entry's tags, `ALL` among them, have to be asked for before it is believed. */
  open(tags: readonly string[] | undefined, seq: number): readonly string[] {
    if (seq >= this.#since && seq >= this.#forgotten) return NONE
    return this.unchecked(tags)
  }

  /** Which of these tags, and of `ALL`, aren't known from before. */
  unchecked(tags: readonly string[] | undefined): readonly string[] {
    const all = tags === undefined ? [ALL] : [ALL, ...tags]
    return this.sure ? all.filter((tag) => !this.#checked.has(tag)) : all
  }

  #allows(tag: string, seq: number): boolean {
    return seq >= (this.#heard.get(tag) ?? this.#forgotten)
  }

  #forgetOldest(): void {
    for (const [tag, epoch] of this.#heard) {
      this.#heard.delete(tag)
      this.#checked.delete(tag)
      this.#forgotten = Math.max(this.#forgotten, epoch)
      return
    }
  }
}

const NONE: readonly string[] = []
