import { CryptoError } from './errors.ts'

/** Something that holds a secret and gives it out only when asked, so that it doesn't print by accident. */
export type SecretSource = { reveal(): string }

const MIN_LENGTH = 32
const MIN_VARIETY = 8
const REMEDY =
  'Make one with `openssl rand -base64 32` and keep it where only this service can read it.'

// What documentation, examples and templates put where a secret belongs.
const PLACEHOLDER =
  /change[-_ ]?(?:me|this|it)|replace|your[-_ ]|example|placeholder|insecure|default|secret|password|development/i

const DERIVED = new WeakSet<object>()

/** A source of what was derived from a secret that was checked: the rules for what people choose don't apply to it. */
export function createDerivedSource(reveal: () => string): SecretSource {
  const source = Object.freeze({ reveal })
  DERIVED.add(source)
  return source
}

/**
 * The secret that a source holds.
 *
 * @param name what the secret is called where it is configured; messages name it, and never its value
 * @throws CryptoError `weak_secret` if it has fewer than 32 characters, is a known placeholder, or varies so little
 *   that it can be guessed; `invalid_option` if it is no text
 */
export function revealSecret(source: SecretSource | string, name: string): string {
  const secret: unknown = typeof source === 'string' ? source : source?.reveal?.()
  if (typeof secret !== 'string' || !secret.isWellFormed()) {
    throw new CryptoError(
      'invalid_option',
      `${name} has to be a text, or an object whose reveal() gives one.`,
    )
  }
  const isDerived = typeof source === 'object' && DERIVED.has(source)
  const weakness = isDerived ? undefined : weaknessOf(secret)
  if (weakness) throw new CryptoError('weak_secret', `${name} ${weakness}. ${REMEDY}`)
  return secret
}

/** Rules that practically no random value breaks; they find what was typed or copied, and can't prove the rest good. */
function weaknessOf(secret: string): string | undefined {
  if (secret.length < MIN_LENGTH) {
    return `has fewer than ${MIN_LENGTH} characters`
  }
  // One random value in a million has such a word in it by chance, but doesn't consist of words.
  if (PLACEHOLDER.test(secret) && changes(secret) < secret.length * 0.45) {
    return 'is an example or a placeholder, which everybody knows'
  }
  if (new Set(secret).size < MIN_VARIETY) {
    return `is made of fewer than ${MIN_VARIETY} different characters`
  }
  if (isRepeated(secret)) {
    return 'repeats itself'
  }
  if (steps(secret) > secret.length * 0.6) {
    return 'consists of characters in a row, such as abcd or 1234'
  }
  return undefined
}

/** How often a small letter, a capital, a digit and anything else follow each other: in base64 two times of three. */
function changes(text: string): number {
  const kinds = text
    .replace(/[a-z]+/g, 'a')
    .replace(/[A-Z]+/g, 'A')
    .replace(/\d+/g, '0')
  return kinds.replace(/[^a-zA-Z0]+/g, '-').length - 1
}

/** Whether the text is a piece that would be too short by itself over and over, the last of which may be cut. */
function isRepeated(text: string): boolean {
  for (let period = 1; period < MIN_LENGTH && period <= text.length / 2; period++) {
    if (text.startsWith(text.slice(period))) return true
  }
  return false
}

/** How many characters follow the one before them in the alphabet, precede it, or are the same. */
function steps(text: string): number {
  let count = 0
  for (let i = 1; i < text.length; i++) {
    if (Math.abs(text.charCodeAt(i) - text.charCodeAt(i - 1)) <= 1) count++
  }
  return count
}
