import type { Wishes } from './cache-control.ts'
import type { KeptAnswer } from './kept-answer.ts'

/**
 * What may be done with a kept answer. `fresh`: served; `stale`: served, and fetched anew behind it; `spare`:
 * served only if nothing better is to be had; `welcome`: out of its time, and the client takes it so;
 * `no`: not served.
 */
export type Standing = 'fresh' | 'welcome' | 'stale' | 'spare' | 'no'

/** How an answer stands towards a client, by what the upstream, the route and the client say (RFC 9111 §4.2). */
export function standingOf(
  { terms, initialAgeMs }: Pick<KeptAnswer, 'terms' | 'initialAgeMs'>,
  keptForMs: number,
  wishes: Wishes,
): Standing {
  const over = keptForMs - terms.freshMs
  const spare: Standing = over <= terms.errorMs && !wishes.noCache ? 'spare' : 'no'
  if (wishes.noCache || keptForMs + initialAgeMs > wishes.maxAgeMs) return spare
  if (wishes.minFreshMs > 0) return over + wishes.minFreshMs <= 0 ? 'fresh' : spare
  if (over <= 0) return 'fresh'
  if (over <= terms.staleMs) return 'stale'
  return over <= wishes.maxStaleMs ? 'welcome' : spare
}
