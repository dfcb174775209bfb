/** The tick until which the first tier serves what only its own way of asking may find. */
export const NEVER = 0

/** A value with all that is known of it. Only what the first tier notes for itself changes once it is made. */
export interface Entry {
  readonly value: unknown
  /** Until which tick of its clock the first tier serves it without looking at the time itself, or {@link NEVER}. */
  servedUntil: number
  /** The generation of the first tier in which it was last known to be right; see {@link Coherence}. */
  generation: number
  /** Sorted, without doubles; `undefined` when there are none, which is asked on every hit. */
  readonly tags: readonly string[] | undefined
  /** In which tick of its clock the first tier last put it in front of the others; 0: never. */
  usedAt: number
  /** Until when the first tier serves it without looking further: `freshUntil`, or sooner. */
  believedUntil: number
  /** When it was made, by the maker's `Date.now()`. */
  readonly createdAt: number
  /** Until when it is served without a thought, and until when it may be served for want of a better. */
  readonly freshUntil: number
  readonly staleUntil: number
  /** The point in the order of invalidations before which its making began. */
  readonly seq: number
  /** The write to the second tier that it is from. Absent: it isn't there (yet). */
  readonly stamp: string | undefined
}

/** What an entry is made of; the rest is the first tier's. */
export type EntryParts = Omit<Entry, 'servedUntil' | 'usedAt' | 'believedUntil'>

/**
 * Makes an entry. What a hit looks at comes first, all of it small integers and pointers: a number with a
 * fraction or beyond 31 bits lies elsewhere in memory, and reaching it takes longer than all the rest.
 */
export function newEntry(parts: EntryParts): Entry {
  const { value, generation, tags, createdAt, freshUntil, staleUntil, seq, stamp } = parts
  return {
    value,
    servedUntil: NEVER,
    generation,
    tags,
    usedAt: 0,
    believedUntil: freshUntil,
    createdAt,
    freshUntil,
    staleUntil,
    seq,
    stamp,
  }
}
