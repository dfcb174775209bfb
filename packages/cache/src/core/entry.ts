/** A value with all that is known of it. Only what the first tier notes for itself changes once it is made. */
export interface Entry {
  readonly value: unknown
  /** When it was made, by the maker's `Date.now()`. */
  readonly createdAt: number
  /** Until when it is served without a thought, and until when it may be served for want of a better. */
  readonly freshUntil: number
  readonly staleUntil: number
  /** Sorted, without doubles; `undefined` when there are none, which is asked on every hit. */
  readonly tags: readonly string[] | undefined
  /** The point in the order of invalidations before which its making began. */
  readonly seq: number
  /** The write to the second tier that it is from. Absent: it isn't there (yet). */
  readonly stamp: string | undefined
  /** Until when the first tier serves it without looking further: `freshUntil`, or sooner. */
  believedUntil: number
  /** In which millisecond the first tier last put it in front of the others; 0: never. */
  usedAt: number
  /** The generation of the first tier in which it was last known to be right; see {@link Coherence}. */
  generation: number
}
