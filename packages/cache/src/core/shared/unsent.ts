const MOST = 10_000

/**
 * Keys whose newest entry is in the first tier only, since the second one was away, and when its making
 * began by `performance.now()`. Bounded: what was forgotten is merely made anew.
 */
export class Unsent {
  readonly #begun = new Map<string, number>()

  add(key: string, begun: number): void {
    this.#begun.delete(key)
    this.#begun.set(key, begun)
    if (this.#begun.size <= MOST) return
    for (const oldest of this.#begun.keys()) {
      this.#begun.delete(oldest)
      return
    }
  }

  begun(key: string): number | undefined {
    return this.#begun.size === 0 ? undefined : this.#begun.get(key)
  }

  delete(key: string): void {
    if (this.#begun.size > 0) this.#begun.delete(key)
  }
}
