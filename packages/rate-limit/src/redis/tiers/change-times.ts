/** A power of two, so that a remainder is a mask. */
const SLOTS = 1_024

/**
 * When this process last changed something about a subject (reset it, gave something back), so that what
 * was asked before isn't believed after. Subjects may share a slot: then something isn't believed that
 * could have been, which costs a question.
 */
export class ChangeTimes {
  readonly #at = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY)

  note(subject: string, now: number): void {
    this.#at[slotOf(subject)] = now
  }

  /** Whether the subject may have been changed at `time` or later. */
  since(subject: string, time: number): boolean {
    return (this.#at[slotOf(subject)] ?? 0) >= time
  }
}

/** FNV-1a over as much as tells ordinary subjects apart. */
function slotOf(subject: string): number {
  let hash = 0x811c9dc5
  for (let at = Math.min(subject.length, 64) - 1; at >= 0; at -= 1) {
    hash = Math.imul(hash ^ subject.charCodeAt(at), 0x01000193)
  }
  return (hash ^ (hash >>> 16)) & (SLOTS - 1)
}
