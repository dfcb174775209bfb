/**
 * Is told of every access to an entry, by its full key. It is called on the path of a hit, so it has to be
 * next to free, and it must not throw.
 */
export interface AccessObserver {
  /** `hit`: the first tier had it, fresh. */
  accessed(key: string, hit: boolean): void
}

/** One observer for several; `undefined` for none, which costs a hit nothing. */
export function observerOf(
  ...observers: readonly (AccessObserver | undefined)[]
): AccessObserver | undefined {
  const [first, second, ...others] = observers.filter((observer) => observer !== undefined)
  if (first === undefined || second === undefined) return first
  const rest = observerOf(second, ...others) ?? second
  return {
    accessed(key, hit) {
      first.accessed(key, hit)
      rest.accessed(key, hit)
    },
  }
}
