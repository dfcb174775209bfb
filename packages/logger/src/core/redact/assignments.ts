import { isSecretQueryName, type SecretNames } from './names.ts'

/** What stands between a name and its value: `=`, `: `, `" : `, `' => `, `\":` as in JSON within JSON. */
const SEPARATOR = /(?:\\{0,16}["'])?\]?\s{0,8}(=>|[:=])\s{0,8}/g
const NAME_CHAR = /[\w.%$-]/
const MAX_NAME = 64

/** A list, an object, a quoted string (escaped once or more, or not), or a word. */
const VALUE =
  /[[{][^\]}]*[\]}]?|(\\+["'])[\s\S]*?(?<!\\)\1|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[^\s&"'<>\\]+/y
const OPENING_QUOTE = /^\\*["']/
const CLOSING_QUOTE = /\\*["']$/

/** What a message says about a setting (`API_KEY: missing`), as opposed to the setting's value. */
const REMARK =
  /^(?:missing|required|invalid|expired|expected|must|is|not|should|unset|empty|too|no|cannot|unknown|undefined|null|none|true|false|set|wrong|bad)\b[.,;:!)]?$/i

/** Looks back from a separator, so that a long run of letters is passed once, not from each letter. */
function nameBefore(text: string, end: number): string {
  let start = end
  while (start > 0 && end - start < MAX_NAME && NAME_CHAR.test(text.charAt(start - 1))) start--
  return text.slice(start, end)
}

function decodeName(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function isSecretAt(text: string, end: number, isSecretName: SecretNames): boolean {
  const raw = nameBefore(text, end)
  if (raw === '') return false
  const name = decodeName(raw)
  if (isSecretName(name)) return true
  const before = text.charAt(end - raw.length - 1)
  return (before === '?' || before === '&' || before === ';') && isSecretQueryName(name)
}

function quoted(value: string, replacement: string): string {
  const opening = OPENING_QUOTE.exec(value)?.[0] ?? ''
  const closing = opening === '' ? '' : (CLOSING_QUOTE.exec(value)?.[0] ?? '')
  return opening + replacement + closing
}

/** Replaces the values that a text assigns to secret names; quotes stay, so that JSON stays JSON. */
export function scrubAssignments(
  text: string,
  replacement: string,
  isSecretName: SecretNames,
): string {
  let out = ''
  let copied = 0
  SEPARATOR.lastIndex = 0
  for (let found = SEPARATOR.exec(text); found !== null; found = SEPARATOR.exec(text)) {
    if (!isSecretAt(text, found.index, isSecretName)) continue
    const from = SEPARATOR.lastIndex
    VALUE.lastIndex = from
    const value = VALUE.exec(text)?.[0]
    if (value === undefined || value.startsWith(replacement)) continue
    if (found[1] === ':' && REMARK.test(value)) continue
    out += text.slice(copied, from) + quoted(value, replacement)
    copied = VALUE.lastIndex
    SEPARATOR.lastIndex = copied
  }
  return copied === 0 ? text : out + text.slice(copied)
}
