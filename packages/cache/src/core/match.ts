import type { Match } from './driver.ts'

/** Tells which keys are meant. A pattern takes at most (its length × the key's) steps, whatever it holds. */
export function matcher(match: Match): (key: string) => boolean {
  if ('prefix' in match) {
    const { prefix } = match
    return (key) => key.startsWith(prefix)
  }
  const glob = parseGlob(match.pattern)
  return (key) => globMatches(glob, key)
}

/** A text as a pattern that matches just this text. */
export function escapePattern(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&')
}

const ANY_TEXT = -1
const ANY_CHARACTER = -2

/** Code points, and the two wildcards. */
function parseGlob(pattern: string): readonly number[] {
  const glob: number[] = []
  const characters = [...pattern]
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]
    if (character === '*') {
      if (glob.at(-1) !== ANY_TEXT) glob.push(ANY_TEXT)
    } else if (character === '?') glob.push(ANY_CHARACTER)
    else {
      // A `\` at the very end can only mean itself.
      if (character === '\\' && i + 1 < characters.length) i++
      glob.push(characters[i]?.codePointAt(0) ?? 0)
    }
  }
  return glob
}

/** Goes back to the last `*` only: a star further left can't help where the last one couldn't. */
function globMatches(glob: readonly number[], key: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < key.length; ) {
    const wanted = glob[at]
    const code = key.codePointAt(i)
    if (wanted === ANY_TEXT) {
      star = at++
      resume = i
    } else if (wanted === ANY_CHARACTER || wanted === code) {
      at++
      i += unitsOf(code)
    } else if (star >= 0) {
      at = star + 1
      resume += unitsOf(key.codePointAt(resume))
      i = resume
    } else return false
  }
  while (glob[at] === ANY_TEXT) at++
  return at === glob.length
}

/** How many units of a text the character takes. */
function unitsOf(code: number | undefined): number {
  return code !== undefined && code > 0xffff ? 2 : 1
}
