import { scrubAssignments } from './assignments.ts'
import type { SecretNames } from './names.ts'
import { scrubUserinfo } from './userinfo.ts'

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]'

/** Replaces the secrets inside a string; returns the string itself when there are none. */
export type TextScrubber = (text: string) => string

/** The shortest text that can hold a secret with what gives it away (`a://b:c@`). */
const SHORTEST = 7

/**
 * Longer strings are cut: a log line is no place for them, and the cost of looking through one stays
 * bounded. What is looked at reaches a little further than what is kept, so that no half of a secret,
 * unrecognisable as it is, survives the cut.
 */
const MAX_LENGTH = 16_384
const MARGIN = 1_024

/** A boundary before a token: not in a word, but right after an escape (`\n`) or a percent code. */
const START = '(?:(?<![A-Za-z0-9])|(?<=\\\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))'

const TOKEN_PREFIXES =
  'sk-|[srpw]k_(?:live|test)_|whsec_|tg_|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|xapp-|hf_|gsk_|xai-|pplx-|r8_|npm_|pypi-|dop_v1_|SG\\.|ya29\\.|AGE-SECRET-KEY-'

const PREFIXED = new RegExp(`${START}(?:${TOKEN_PREFIXES})[A-Za-z0-9_.~-]{8,}`, 'g')
const CLOUD_KEY = new RegExp(`${START}(?:(?:AKIA|ASIA)[0-9A-Z]{12,}|AIza[A-Za-z0-9_-]{30,})`, 'g')
/** Not within a longer word, or looking for the dot would take quadratic time. */
const JWT_START =
  '(?:(?<![A-Za-z0-9_-])|(?<=\\\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))eyJ[A-Za-z0-9_-]{6,}\\.'
const JWT = new RegExp(`${JWT_START}[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]*){0,3}`, 'g')
const PEM =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g

/** Words that follow "bearer" in a sentence about tokens rather than in a header. */
const PROSE =
  '(?:tokens?|auth|authentication|authorization|keys?|scheme|credentials?|realm|header|prefix|or|and|is|was|not|required|missing|format|challenge)(?![\\w.~+/=-])'
const BEARER = new RegExp(`\\b(bearer)(\\s{1,8}|%20|\\+)(?!${PROSE})[^\\s"',;<>\\\\]{4,}`, 'gi')
const BASIC = /\b(Basic)(\s{1,8}|%20|\+)([A-Za-z0-9+/_-]{6,}={0,2})/gi

/** Header lines whose value runs to the end of the line. */
const HEADER_LINE =
  /\b((?:proxy-)?authorization|(?:set-)?cookie2?)(\s{0,8}:\s{0,8})(?!["'\\[\s])[^\r\n]+/gi

/** All but assignments and URLs can be told by these; cheap, as it minds the case. */
const SUSPICIOUS_TOKEN = new RegExp(
  [
    `(?:${TOKEN_PREFIXES})[\\w.~-]{8}`,
    'A(?:KIA|SIA|Iza)\\w{12}',
    JWT_START,
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
  return new RegExp(assigned, 'i')
}

/** Matches a name with any separators, as `createSecretNames` compares it. */
function escapeName(name: string): string {
  return [...name.replace(/[^A-Za-z0-9]+/g, '')].join('[^A-Za-z0-9]?')
}

function globalCopy(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`)
}

function scrubBasic(match: string, scheme: string, gap: string, credentials: string): string {
  const isPair = Buffer.from(credentials, 'base64').toString('latin1').includes(':')
  return isPair ? `${scheme}${gap}${REDACTED}` : match
}

function scrubKnown(text: string, isSecretName: SecretNames): string {
  const scrubbed = scrubUserinfo(text, REDACTED)
    .replace(PEM, REDACTED)
    .replace(HEADER_LINE, `$1$2${REDACTED}`)
    .replace(BEARER, `$1$2${REDACTED}`)
    .replace(BASIC, scrubBasic)
    .replace(JWT, REDACTED)
    .replace(PREFIXED, REDACTED)
    .replace(CLOUD_KEY, REDACTED)
  return scrubAssignments(scrubbed, REDACTED, isSecretName)
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
    ((text.includes(':') || text.includes('=')) &&
      ((text.includes('@') && text.includes('://')) || suspiciousAssignment.test(text)))
  const own = patterns.map(globalCopy)
  const scrub = (text: string): string => {
    let scrubbed = isSuspicious(text) ? scrubKnown(text, isSecretName) : text
    for (const pattern of own) scrubbed = scrubbed.replace(pattern, REDACTED)
    return scrubbed
  }
  const scrubLong = (text: string): string => {
    const head = scrub(text.slice(0, MAX_LENGTH + MARGIN))
    return `${head.slice(0, -MARGIN)}… [cut: ${text.length} characters]`
  }
  return (text) => {
    if (text.length < SHORTEST && own.length === 0) return text
    if (text.length > MAX_LENGTH) return scrubLong(text)
    return scrub(text)
  }
}
