import type { Duration } from './duration.ts'

/** Makes a value. What it throws passes to those who wait as it is. */
export type Factory<V, Before = V> = (context: FactoryContext<Before>) => V | Promise<V>

/** What a factory may know and decide. Its functions may be taken out of it. */
export interface FactoryContext<V = unknown> {
  /** As it was asked for. */
  readonly key: string
  /** What there was before, to be asked about or built upon; `undefined` when there was nothing. */
  readonly stale: { readonly value: V; readonly ageMs: number } | undefined
  /** Aborts when nobody waits any more, or after the hard timeout. */
  readonly signal: AbortSignal
  /** Sets the ttl, by what was found out. */
  readonly ttl: (duration: Duration) => void
  /** Sets how long after that it may be served stale. */
  readonly staleFor: (duration: Duration) => void
  /** Adds tags. */
  readonly tag: (...tags: readonly string[]) => void
  /** The value is returned, but not stored. */
  readonly skip: () => void
}
