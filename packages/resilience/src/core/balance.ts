/** What an endpoint is chosen by. */
export interface Balanced {
  /** Its share relative to the others'. With 0 it is never picked. */
  readonly weight: number
  /** Calls under way. */
  readonly pending: number
}

/**
 * Picks the endpoint for the next call: draws two different ones by weight and takes the one with
 * fewer pending calls per weight, the first drawn if they are equal. `undefined` when none is usable.
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing".) Allocates nothing.
 *
 * @param usable Asked up to three times per endpoint; must not change anything.
 * @param random Uniform in [0, 1). Default `Math.random`.
 */
export function pickEndpoint<E extends Balanced>(
  endpoints: readonly E[],
  usable: (endpoint: E) => boolean,
  random: () => number = Math.random,
): E | undefined {
  const first = draw(endpoints, usable, random, undefined)
  if (first === undefined || endpoints.length === 1) return first
  const second = draw(endpoints, usable, random, first)
  if (second === undefined) return first
  return second.pending / second.weight < first.pending / first.weight ? second : first
}

/** Draws one by weight out of those that are usable and not `except`. */
function draw<E extends Balanced>(
  endpoints: readonly E[],
  usable: (endpoint: E) => boolean,
  random: () => number,
  except: E | undefined,
): E | undefined {
  let only: E | undefined
  let candidates = 0
  let total = 0
  for (const endpoint of endpoints) {
    if (endpoint === except || !(endpoint.weight > 0) || !usable(endpoint)) continue
    only = endpoint
    candidates += 1
    total += endpoint.weight
  }
  if (candidates < 2) return only
  let rest = random() * total
  let last: E | undefined
  for (const endpoint of endpoints) {
    if (endpoint === except || !(endpoint.weight > 0) || !usable(endpoint)) continue
    last = endpoint
    rest -= endpoint.weight
    if (rest < 0) break
  }
  return last
}
