type Counted = readonly (readonly [ms: number, count: number])[]

/**
 * The most that was admitted beyond `burst + rate · Δ` in any interval, in tokens: 0 keeps the promise.
 *
 * Where something was decided isn't seen, only that it was after it had been asked and before it was
 * answered. So those count that were surely decided within an interval: all that were answered by its
 * end, less all that had been asked before it began.
 */
export function excessOf(
  asked: Counted,
  answered: Counted,
  { limit, windowMs }: { readonly limit: number; readonly windowMs: number },
): number {
  const perMs = limit / windowMs
  const [askedIn, answeredIn] = [sumOf(asked), sumOf(answered)]
  const first = Math.min(...askedIn.keys())
  const last = Math.max(...answeredIn.keys())
  let [askedBefore, answeredBy] = [0, 0]
  let mostAtStart = Number.NEGATIVE_INFINITY
  let excess = 0
  for (let ms = first; ms <= last; ms++) {
    // An interval may begin with this millisecond, and one may end with it.
    mostAtStart = Math.max(mostAtStart, perMs * ms - askedBefore)
    askedBefore += askedIn.get(ms) ?? 0
    answeredBy += answeredIn.get(ms) ?? 0
    excess = Math.max(excess, answeredBy - perMs * (ms + 1) + mostAtStart - limit)
  }
  return excess
}

function sumOf(counted: Counted): ReadonlyMap<number, number> {
  const sums = new Map<number, number>()
  for (const [ms, count] of counted) sums.set(ms, (sums.get(ms) ?? 0) + count)
  return sums
}
