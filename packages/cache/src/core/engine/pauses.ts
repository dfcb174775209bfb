import type { Target } from '../coherence.ts'
import { matcher } from '../match.ts'

const MOST = 10_000

/** Keys whose factory has just failed, and until when it isn't called again while something stale is there. */
export class Pauses {
  readonly #until = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  begin(key: string, ms: number): void {
    if (ms === 0) return
    // The oldest are first, and without a pause a factory is only tried again sooner.
    for (const oldest of this.#until.keys()) {
      if (this.#until.size < MOST) break
      this.#until.delete(oldest)
    }
    this.#until.set(key, this.#now() + ms)
  }

  lasts(key: string): boolean {
    if (this.#until.size === 0) return false
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (this.#now() < until) return true
    this.#until.delete(key)
    return false
  }

  end(key: string): void {
    this.#until.delete(key)
  }

  endAll(target: Target): void {
    if (this.#until.size === 0) return
    if ('keys' in target) for (const key of target.keys) this.end(key)
    else if ('match' in target) {
      const matches = matcher(target.match)
      for (const key of this.#until.keys()) if (matches(key)) this.end(key)
    }
  }
}
