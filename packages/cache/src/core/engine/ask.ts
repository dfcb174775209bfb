import type { Policy } from '../entry-options.ts'
import type { Factory } from '../factory.ts'
import type { Counts } from '../stats.ts'

/** One `getOrSet`, when memory alone can't answer it. */
export interface Ask {
  /** As it is stored. */
  readonly key: string
  /** As it was asked for. */
  readonly name: string
  readonly factory: Factory<unknown>
  readonly policy: Policy
  /** The caller's, and those of its namespaces. */
  readonly tags: readonly string[]
  readonly signal: AbortSignal | undefined
  readonly fresh: boolean
  readonly counts: Counts
}
