import type { Target } from '../coherence.ts'
import { ALL } from '../reserved.ts'

const MOST_KEYS = 10_000
const MOST_OTHERS = 1_000

/** Everything: what is invalidated when too much is owed to be told apart. */
const EVERYTHING: Target = { match: { prefix: '' }, tag: ALL }

/**
 * What became of a key while the second tier was away: it was removed, something newer was set, or one
 * after the other.
 */
export type KeyDebt = 'removed' | 'replaced' | 'renewed'

/** What has to be done in the second tier as soon as it is back, bounded: on overflow all is invalidated. */
export class Debts {
  #keys = new Map<string, KeyDebt>()
  /** By what they say, as doing a thing twice does no more than once. */
  #others = new Map<string, Target>()

  get empty(): boolean {
    return this.#keys.size === 0 && this.#others.size === 0
  }

  /** An invalidation that didn't get through. */
  owe(target: Target): void {
    if ('keys' in target) for (const key of target.keys) this.#oweKey(key, 'removed')
    else this.#others.set(JSON.stringify(target), target)
    if (this.#others.size > MOST_OTHERS) this.#oweEverything()
  }

  /** A value was set, and the others don't know. */
  oweReplacement(key: string): void {
    const before = this.#keys.get(key)
    this.#oweKey(key, before === undefined || before === 'replaced' ? 'replaced' : 'renewed')
  }

  /** A value was made; it is owed where the removal of the one before it is. */
  made(key: string): void {
    if (this.#keys.has(key)) this.oweReplacement(key)
  }

  /** Takes what is owed; who can't pay it has to give it back. */
  take(): { readonly keys: ReadonlyMap<string, KeyDebt>; readonly others: readonly Target[] } {
    const taken = { keys: this.#keys, others: [...this.#others.values()] }
    this.#keys = new Map()
    this.#others = new Map()
    return taken
  }

  /** Takes back what couldn't be paid: what has come meanwhile is newer. */
  giveBack({ keys, others }: ReturnType<Debts['take']>): void {
    for (const target of others) this.owe(target)
    for (const [key, debt] of keys) {
      const since = this.#keys.get(key)
      if (since === undefined) this.#oweKey(key, debt)
      else if (since === 'replaced' && debt !== 'replaced') this.#keys.set(key, 'renewed')
    }
  }

  #oweKey(key: string, debt: KeyDebt): void {
    this.#keys.set(key, debt)
    if (this.#keys.size > MOST_KEYS) this.#oweEverything()
  }

  #oweEverything(): void {
    this.#keys.clear()
    this.#others = new Map([[JSON.stringify(EVERYTHING), EVERYTHING]])
  }
}
