const MOST = 10_000

/** How an entry came about that only the first tier has. */
export interface Origin {
  /** When its making began, by `performance.now()`. */
  readonly begun: number
  /** Set outright, not made by a factory. */
  readonly explicit: boolean
}

/**
 * Keys whose newest entry is in the first tier only, since the second one was away. Bounded: what was
 * forgotten is merely made anew.
 */
export class Unsent {
  readonly #origins = new Map<string, Origin>()

  add(key: string, origin: Origin): void {
    this.#origins.delete(key)
    this.#origins.set(key, origin)
    if (this.#origins.size <= MOST) return
    for (const oldest of this.#origins.keys()) {
      this.#origins.delete(oldest)
      return
    }
  }

  origin(key: string): Origin | undefined {
    return this.#origins.size === 0 ? undefined : this.#origins.get(key)
  }

  delete(key: string): void {
    if (this.#origins.size > 0) this.#origins.delete(key)
  }
}
