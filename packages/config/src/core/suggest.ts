/**
 * The fewest insertions, deletions, replacements and swaps of neighbours that turn one text into the
 * other (Damerau–Levenshtein, optimal string alignment). Answers `limit + 1` as soon as the distance
 * is known to be larger than `limit`.
 */
export function editDistance(from: string, to: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    if (Math.min(...current) > limit) return limit + 1
    beforeLast = last
    last = current
  }
  return Math.min(last[to.length] ?? 0, limit + 1)
}

/** The candidate that was probably meant, or undefined when none is close. Case does not count. */
export function suggest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > 100) return undefined
  const wanted = written.toLowerCase()
  const limit = wanted.length < 4 ? 1 : wanted.length < 8 ? 2 : 3
  let best: { readonly candidate: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const begins = wanted.length > 2 && known.startsWith(wanted)
    const distance = begins ? limit : editDistance(wanted, known, limit)
    // Two edits on a word of three letters make any other word of three letters.
    if (distance > limit || (!begins && distance >= known.length)) continue
    if (!best || distance < best.distance) best = { candidate, distance }
  }
  return best?.candidate
}
