import type { EntryOptions } from './entry-options.ts'
import type { Factory } from './factory.ts'

/** Longer keys aren't remembered by those who are told of accesses: so what they remember is bounded. */
export const LONGEST_KEY = 1_024

/** The cache or the namespace through which an entry was asked for. */
export interface Accessor {
  /** What the keys of its entries begin with, as they are stored. */
  readonly prefix: string
  /** Sees to it that an entry is there, by its key as it is stored; it is nobody's access. */
  fetch(key: string, factory: Factory<unknown>, options: EntryOptions | undefined): Promise<unknown>
}

/**
 * Is told of every access to an entry, by its key as it is stored, before anything is waited for. It is called
 * on the path of a hit, so it has to be next to free, and it must not throw.
 */
export interface AccessObserver {
  /** `hit`: the first tier had it, fresh. */
  accessed(key: string, hit: boolean, by: Accessor): void
}

/** One observer for several; `undefined` for none, which costs a hit nothing. */
export function observerOf(
  ...observers: readonly (AccessObserver | undefined)[]
): AccessObserver | undefined {
  const [first, second, ...others] = observers.filter((observer) => observer !== undefined)
  if (first === undefined || second === undefined) return first
  const rest = observerOf(second, ...others) ?? second
  return {
    accessed(key, hit, by) {
      first.accessed(key, hit, by)
      rest.accessed(key, hit, by)
    },
  }
}
