/** The candidate that was probably meant by a slip of the pen, or undefined when none is near. */
export function suggest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > 100) return undefined
  let nearest: string | undefined
  let fewest = written.length < 4 ? 2 : written.length < 8 ? 3 : 4
  for (const candidate of candidates) {
    const edits = countEdits(written.toLowerCase(), candidate.toLowerCase())
    if (edits >= fewest || edits >= candidate.length) continue
    fewest = edits
    nearest = candidate
  }
  return nearest
}

/** Insertions, deletions and replacements that turn one text into the other (Levenshtein). */
function countEdits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...from].entries()) {
    const row = [index + 1]
    for (const [column, other] of [...to].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1)
      row.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (row[column] ?? 0) + 1))
    }
    above = row
  }
  return above[to.length] ?? 0
}
