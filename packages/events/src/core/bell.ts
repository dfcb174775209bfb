/** How long to wait at a {@link Bell}. */
export interface Waiting {
  /** What `rings` was when there was last nothing to do: when it has grown since, nothing is waited for. */
  readonly since: number
  readonly signal?: AbortSignal | undefined
  readonly ms?: number | undefined
}

/** Wakes those who wait for something to happen. */
export class Bell {
  readonly #waiting = new Set<() => void>()
  rings = 0

  ring(): void {
    this.rings += 1
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** Resolves at the next ring, at the signal's abort, or after `ms`, whichever is first. */
  async wait({ since, signal, ms }: Waiting): Promise<void> {
    if (this.rings !== since || signal?.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake)
    const timer = ms === undefined ? undefined : setTimeout(wake, ms).unref()
    await promise
    clearTimeout(timer)
    signal?.removeEventListener('abort', wake)
    this.#waiting.delete(wake)
  }
}
