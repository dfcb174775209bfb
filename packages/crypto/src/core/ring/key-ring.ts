import { createHmac } from 'node:crypto'
import { CryptoError } from '../errors.ts'
import { frameTexts } from '../frame.ts'
import { createDerivedSource, revealSecret, type SecretSource } from '../secret.ts'
import { deriveRingKeys, deriveText, type RingKeys } from './ring-keys.ts'

/** The secrets of a {@link KeyRing}. Each has at least 32 random characters (`openssl rand -base64 32`). */
export interface KeyRingOptions {
  /** What new envelopes are sealed with. */
  readonly current: SecretSource | string
  /** What was current before: still opens what was sealed with it. Take it away once everything is rewrapped. */
  readonly previous?: SecretSource | string | readonly (SecretSource | string)[] | undefined
}

/** One secret in use and those before it. It holds keys where nothing prints, copies or enumerates them. */
export interface KeyRing {
  /**
   * Tells the current secret from others, and nothing about it. Keep it with the data, and a start with another
   * secret is noticed before anything is read.
   */
  readonly fingerprint: string
  /** Those of the previous secrets, as they were given. */
  readonly previous: readonly string[]
  /**
   * A keyed hash of a value, to look a sealed one up by equality: the same text for the same purpose and value, and
   * not to be computed or reversed without the secret. Whoever reads the index sees which rows are equal; with the
   * tenant in the purpose, only within one.
   *
   * @throws CryptoError `invalid_option` if the purpose is empty, or one of them isn't well-formed Unicode
   */
  blindIndex(purpose: string, value: string): string
  /** The index under each secret, the current one first: what to look for until the indexes are made anew. */
  blindIndexes(purpose: string, value: string): readonly string[]
  /**
   * Independent secrets for another use, such as the pepper of API keys, derived from each of the ring's; of the form
   * that {@link createKeyRing} takes.
   *
   * @throws CryptoError `invalid_option` unless the purpose is 1 to 200 characters of well-formed Unicode
   */
  derive(purpose: string): DerivedSecrets
}

/** What {@link KeyRing.derive} gives: 43 characters each, of 256 bits. */
export interface DerivedSecrets {
  readonly current: SecretSource
  readonly previous: readonly SecretSource[]
}

const LONGEST_PURPOSE = 200

const KEYS = new WeakMap<KeyRing, ReadonlyMap<string, RingKeys>>()

/**
 * Makes a key ring of the secret in use and those before it.
 *
 * To rotate, let the secret become `previous` and give a new one as `current`: new envelopes are sealed with that, old
 * ones still open, {@link needsRotation} finds them and {@link rewrap} moves them.
 *
 * @throws CryptoError `weak_secret` if a secret is shorter than 32 characters, an example, or of little variety;
 *   `invalid_option` if it is no text
 */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const current = deriveRingKeys(revealSecret(options.current, 'The current secret'))
  const given = [options.previous ?? []]
    .flat()
    .map((source) => deriveRingKeys(revealSecret(source, 'A previous secret')))
  const byFingerprint = new Map([current, ...given].map((keys) => [keys.fingerprint, keys]))
  const all = [...byFingerprint.values()]
  const previous = all.slice(1)

  const ring: KeyRing = Object.freeze({
    fingerprint: current.fingerprint,
    previous: Object.freeze(previous.map(({ fingerprint }) => fingerprint)),
    blindIndex: (purpose: string, value: string) => indexOf(current, frame(purpose, value)),
    blindIndexes(purpose: string, value: string) {
      const framed = frame(purpose, value)
      return all.map((keys) => indexOf(keys, framed))
    },
    derive(purpose: string) {
      checkPurpose(purpose)
      const sourceOf = (keys: RingKeys) => createDerivedSource(() => deriveText(keys, purpose))
      return { current: sourceOf(current), previous: previous.map(sourceOf) }
    },
  })
  KEYS.set(ring, byFingerprint)
  return ring
}

/** The keys of the ring's secrets by fingerprint. */
export function keysOf(ring: KeyRing): ReadonlyMap<string, RingKeys> {
  const keys = KEYS.get(ring)
  if (!keys) throw new CryptoError('invalid_option', 'Give a ring that createKeyRing has made.')
  return keys
}

/** The keys of the current secret. */
export function currentKeysOf(ring: KeyRing): RingKeys {
  const keys = keysOf(ring).get(ring.fingerprint)
  if (!keys) throw new CryptoError('invalid_option', 'Give a ring that createKeyRing has made.')
  return keys
}

/** It goes into HKDF's info, which is short and made of bytes: two purposes must not become the same one. */
function checkPurpose(purpose: string): void {
  const isText = typeof purpose === 'string' && purpose.isWellFormed()
  if (isText && purpose.length >= 1 && purpose.length <= LONGEST_PURPOSE) return
  throw new CryptoError(
    'invalid_option',
    `Say in 1 to ${LONGEST_PURPOSE} characters what the derived secret is for.`,
  )
}

function frame(purpose: string, value: string): string {
  if (!purpose) throw new CryptoError('invalid_option', 'Say what the index is for.')
  return frameTexts([purpose, value])
}

function indexOf({ index }: RingKeys, framed: string): string {
  return createHmac('sha256', index).update(framed).digest('base64url')
}
