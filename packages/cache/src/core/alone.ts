import type { Capture, Coherence } from './coherence.ts'
import type { Entry } from './entry.ts'

const CAPTURE: Capture = { seq: 0, stamp: undefined, generation: 0, shared: false }
const LEASE = { release: () => Promise.resolve() }

/**
 * What keeps a first tier right that has no second one: nothing. Its cache removes at once what is
 * invalidated, nobody else changes anything, and every flight knows what was invalidated during it.
 */
export class Alone implements Coherence {
  readonly generation = 0
  readonly shared = false

  holds(): boolean {
    return true
  }

  capture(): Capture {
    return CAPTURE
  }

  async read(keys: readonly string[]) {
    return keys.map(() => ({ entry: undefined, capture: CAPTURE }))
  }

  async write(items: readonly { readonly entry: Entry }[]): Promise<readonly Entry[]> {
    return items.map(({ entry }) => entry)
  }

  async invalidate(): Promise<number> {
    return 0
  }

  async lead() {
    return LEASE
  }

  async awaitLeader(): Promise<void> {}

  async close(): Promise<void> {}
}
