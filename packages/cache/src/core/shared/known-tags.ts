const MOST = 100_000
/** Tags are made known for longer than is needed, so that few writes have to do it. */
const LEAST_MS = 3_600_000

/** Which tags this process has made known to the second tier, and until when they certainly are. */
export class KnownTags {
  readonly #until = new Map<string, number>()

  /** Those that may not be known for `ms` from now. */
  missing(tags: Iterable<string>, ms: number): readonly string[] {
    const end = performance.now() + ms
    return [...new Set(tags)].filter((tag) => (this.#until.get(tag) ?? 0) < end)
  }

  /** For how long to make tags known that are needed for `ms`. */
  lasting(ms: number): number {
    return Math.max(LEAST_MS, 2 * ms)
  }

  add(tags: readonly string[], ms: number): void {
    if (this.#until.size + tags.length > MOST) this.#until.clear()
    const end = performance.now() + ms
    for (const tag of tags) this.#until.set(tag, end)
  }

  clear(): void {
    this.#until.clear()
  }
}
