import { ResilienceError } from '../core/errors.ts'

/** One thing that is wrong with a client's settings. */
export interface SettingsIssue {
  /** Which setting, such as `timeouts.connectMs`, `baseUrls[1].weight` or `BACKEND_TIMEOUT_READ`. */
  readonly path: string
  /** What it has to be. Never quotes a text that was given, as that may be a secret. */
  readonly message: string
  /** What was probably meant by a name that is unknown. */
  readonly suggestion?: string
}

/** A client can't be made of these settings. Everything that is wrong with them is told at once. */
export class ClientSettingsError extends ResilienceError<'invalid_settings'> {
  readonly code = 'invalid_settings'
  readonly issues: readonly SettingsIssue[]

  constructor(issues: readonly SettingsIssue[]) {
    const lines = issues.map(({ path, message, suggestion }) => {
      const meant = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`
      return `\n  ${path || 'options'}: ${message}${meant}`
    })
    super(`The client's settings are not usable:${lines.join('')}`)
    this.issues = issues
  }
}

/** The known name that is nearest to an unknown one, if one is near. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > 64) return undefined
  const wanted = written.toLowerCase()
  const scored = known.map((name) => {
    const other = name.toLowerCase()
    const begins = wanted.length > 2 && (other.startsWith(wanted) || wanted.startsWith(other))
    return { name, distance: begins ? 1 : editDistance(wanted, other) }
  })
  const best = scored.sort((a, b) => a.distance - b.distance)[0]
  return best !== undefined && best.distance <= Math.max(1, wanted.length / 3)
    ? best.name
    : undefined
}

/** The fewest insertions, deletions and replacements that make one text the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1)
      const changed = Math.min(last[column] ?? 0, current[column - 1] ?? 0) + 1
      current.push(Math.min(replaced, changed))
    }
    last = current
  }
  return last[to.length] ?? 0
}
