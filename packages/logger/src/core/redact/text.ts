import { isSecretQueryName, type SecretNames } from './names.ts'

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]'

/** Replaces the secrets inside a string; returns the string itself when there are none. */
export type TextScrubber = (text: string) => string

/** The shortest text that can hold a secret with what gives it away (`a://b:c@`). */
const SHORTEST = 7

/**
 * Longer strings are cut: a log line is no place for them, and the cost of looking through one stays
 * bounded. The cut comes after the look, a little further on, so no half of a secret survives it.
 */
const MAX_LENGTH = 16_384
const MARGIN = 1_024

/** A boundary before a token: not in a word, but right after an escape (`\n`) or a percent code. */
const START = '(?:(?<![A-Za-z0-9])|(?<=\\\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))'

const TOKEN_PREFIXES =
  'sk-|[srpw]k_(?:live|test)_|whsec_|tg_|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|xapp-|hf_|gsk_|xai-|pplx-|r8_|npm_|pypi-|dop_v1_|SG\\.|ya29\\.|AGE-SECRET-KEY-'

const PREFIXED = new RegExp(`${START}(?:${TOKEN_PREFIXES})[A-Za-z0-9_.~-]{8,}`, 'g')
const CLOUD_KEY = new RegExp(`${START}(?:(?:AKIA|ASIA)[0-9A-Z]{12,}|AIza[A-Za-z0-9_-]{30,})`, 'g')
const JWT = /eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}/g
const PEM =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g

/**
 * Userinfo of a URL. A password may hold a raw `/` or `@`, so it runs to the last `@` before a blank or
 * a quote; digits up to a slash are a port and the `@` behind them belongs to the path.
 */
const USERINFO =
  /(:\/\/)(?:[^\s/?#:@["]{0,256}:(?!\d{1,5}[/?#])[^\s"<>]{1,1024}@|[^\s/?#"]{1,1024}@)/g

/** Words that follow "bearer" in a sentence about tokens rather than in a header. */
const PROSE =
  '(?:tokens?|auth|authentication|authorization|keys?|scheme|credentials?|realm|header|prefix|or|and|is|was|not|required|missing|format|challenge)(?![\\w.~+/=-])'
const BEARER = new RegExp(`\\b(bearer)(\\s{1,8}|%20|\\+)(?!${PROSE})[^\\s"',;<>\\\\]{4,}`, 'gi')
const BASIC = /\b(Basic)(\s{1,8}|%20|\+)([A-Za-z0-9+/_-]{6,}={0,2})/gi

/** Header lines whose value runs to the end of the line. */
const HEADER_LINE =
  /\b((?:proxy-)?authorization|(?:set-)?cookie2?)(\s{0,8}:\s{0,8})(?!["'\\[\s])[^\r\n]+/gi

/** `name=`, `name: `, `"name":`, and the same once or more escaped, as JSON within JSON is. */
const ASSIGNMENT = /([\w.%$-]{1,64})(?:\\*["'])?\]?\s{0,8}([:=])\s{0,8}/g
const VALUE = /(\\+["'])[\s\S]*?(?<!\\)\1|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[^\s&"'<>\\]+/y
const VALUE_QUOTES = /^(\\*["'])?[\s\S]*?(\\*["'])?$/

/** What a message says about a setting (`API_KEY: missing`), as opposed to the setting's value. */
const REMARK =
  /^(?:missing|required|invalid|expired|expected|must|is|not|should|unset|empty|too|no|cannot|unknown|undefined|null|none|true|false|set|wrong|bad)\b[.,;:!)]?$/i

/** All but assignments and URLs can be told by these; cheap, as it minds the case. */
const SUSPICIOUS_TOKEN = new RegExp(
  [
    `(?:${TOKEN_PREFIXES})[\\w.~-]{8}`,
    'A(?:KIA|SIA|Iza)\\w{12}',
    'eyJ[\\w-]{6,}\\.',
    '-----BEGIN',
    '(?:[bB][eE][aA][rR][eE][rR]|[bB][aA][sS][iI][cC])(?:\\s|%20|\\+)',
  ].join('|'),
)

/** Looked for only where there is a `:` or `=` at all. */
function suspiciousPair(extraNames: readonly string[]): RegExp {
  const names = [
    'passw|passphrase|passcode|secret|credential|cookie|token|key|authorization|pwd|pass|bearer|jwt',
    'pepper|connection|mnemonic|signature|otp|pin|cv[vc]|sig|code|auth|sid|session|%',
    ...extraNames.map(escapeName),
  ]
  const assigned = `(?:${names.join('|')})[\\w.%$-]{0,64}(?:\\\\*["'])?\\]?\\s{0,8}[:=]`
  return new RegExp(`:\\/\\/[^\\s@]{1,1280}@|${assigned}`, 'i')
}

/** Matches a name with any separators, as `createSecretNames` compares it. */
function escapeName(name: string): string {
  return [...name.replace(/[^A-Za-z0-9]+/g, '')].join('[^A-Za-z0-9]?')
}

function globalCopy(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`)
}

function decodeName(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function scrubAssignments(text: string, isSecretName: SecretNames): string {
  let out = ''
  let from = 0
  ASSIGNMENT.lastIndex = 0
  for (let found = ASSIGNMENT.exec(text); found !== null; found = ASSIGNMENT.exec(text)) {
    const name = decodeName(found[1] ?? '')
    const before = text[found.index - 1]
    const inQuery = before === '?' || before === '&' || before === ';'
    if (!isSecretName(name) && !(inQuery && isSecretQueryName(name))) continue
    VALUE.lastIndex = ASSIGNMENT.lastIndex
    const value = VALUE.exec(text)?.[0]
    if (value === undefined || value.startsWith(REDACTED)) continue
    if (found[2] === ':' && REMARK.test(value)) continue
    const quotes = VALUE_QUOTES.exec(value)
    out += `${text.slice(from, ASSIGNMENT.lastIndex)}${quotes?.[1] ?? ''}${REDACTED}${quotes?.[1] === undefined ? '' : (quotes[2] ?? '')}`
    from = VALUE.lastIndex
    ASSIGNMENT.lastIndex = from
  }
  return from === 0 ? text : out + text.slice(from)
}

function scrubBasic(match: string, scheme: string, gap: string, credentials: string): string {
  const isPair = Buffer.from(credentials, 'base64').toString('latin1').includes(':')
  return isPair ? `${scheme}${gap}${REDACTED}` : match
}

function scrubKnown(text: string, isSecretName: SecretNames): string {
  const scrubbed = text
    .replace(PEM, REDACTED)
    .replace(HEADER_LINE, `$1$2${REDACTED}`)
    .replace(BEARER, `$1$2${REDACTED}`)
    .replace(BASIC, scrubBasic)
    .replace(USERINFO, `$1${REDACTED}@`)
    .replace(JWT, REDACTED)
    .replace(PREFIXED, REDACTED)
    .replace(CLOUD_KEY, REDACTED)
  return scrubAssignments(scrubbed, isSecretName)
}

function cut(text: string, length: number): string {
  return length > MAX_LENGTH
    ? `${text.slice(0, MAX_LENGTH)}… [${length - MAX_LENGTH} more characters]`
    : text
}

/**
 * Makes the scrubber of strings: known token formats, credentials in URLs, headers and assignments
 * within text, and every match of `patterns`. `names` are extra secret names, for assignments.
 */
export function createTextScrubber(
  isSecretName: SecretNames,
  names: readonly string[] = [],
  patterns: readonly RegExp[] = [],
): TextScrubber {
  const suspiciousAssignment = suspiciousPair(names)
  const isSuspicious = (text: string): boolean =>
    SUSPICIOUS_TOKEN.test(text) ||
    ((text.includes(':') || text.includes('=')) && suspiciousAssignment.test(text))
  const own = patterns.map(globalCopy)
  return (text) => {
    const { length } = text
    if (length < SHORTEST && own.length === 0) return text
    const head = length > MAX_LENGTH + MARGIN ? text.slice(0, MAX_LENGTH + MARGIN) : text
    let scrubbed = isSuspicious(head) ? scrubKnown(head, isSecretName) : head
    for (const pattern of own) scrubbed = scrubbed.replace(pattern, REDACTED)
    return cut(scrubbed, length)
  }
}
