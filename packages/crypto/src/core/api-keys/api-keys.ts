import { CryptoError } from '../errors.ts'
import type { SecretSource } from '../secret.ts'
import { createDigests, type Peppers } from './digests.ts'
import { createKeyFormat, type KeyTextFault } from './key-format.ts'
import { type ApiKeyRecord, type ApiKeyStanding, standingOf } from './record.ts'
import { checkScopes } from './scopes.ts'
import { checkLifetime, checkOverlap } from './times.ts'

/** What makes keys theirs. */
export interface ApiKeysOptions {
  /** The first word of each key, such as a product's: 1 to 16 lower case letters and digits, a letter first. */
  readonly prefix: string
  /** The second, such as `live` or `test`: the same characters. A key of another one is refused. */
  readonly env: string
  /**
   * What the stored digests are keyed with: 32 characters or more, or `derive('api-keys')` of a key ring. Who can write
   * records but hasn't the pepper can't make a key. `previous` are those that records still have digests of.
   */
  readonly pepper: string | SecretSource | Peppers
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/** What a new key may do, and when. Times are milliseconds since 1970. */
export interface GenerateOptions {
  /** Default: none. See `hasScope` for wildcards. */
  readonly scopes?: readonly string[]
  readonly tier?: string
  /** The first moment at which it works. Default: at once. */
  readonly notBefore?: number
  /** The first moment at which it doesn't work any more. Default: never. */
  readonly expiresAt?: number
}

export interface RotateOptions {
  /** How long both keys work, in milliseconds; 0 ends the old one at once. */
  readonly overlapMs: number
  /** When the new key expires. Default: when the old one does; `null` is never. */
  readonly expiresAt?: number | null
}

/** A new key. Its text is known now and never again: show it once, store the record. */
export interface GeneratedApiKey {
  readonly key: string
  readonly record: ApiKeyRecord
}

/** A new key in the place of one that goes on for the overlap. Store both records together. */
export interface RotatedApiKey<R extends ApiKeyRecord> extends GeneratedApiKey {
  /** The old key's record, which names the new one. */
  readonly replaced: R
}

export type ParsedApiKey =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: KeyTextFault }

/**
 * Why a key is refused. Of `revoked`, `replaced`, `expired` and `not_yet` only who has the whole key is told.
 * `other_pepper`: the record's digest is of a pepper that isn't among those given.
 */
export type ApiKeyRefusal = KeyTextFault | 'unknown' | 'mismatch' | 'other_pepper' | ApiKeyStanding

export type VerifiedApiKey<R extends ApiKeyRecord> =
  | {
      readonly ok: true
      readonly record: R
      /** To be stored in place of the record's, while that is of a previous pepper. */
      readonly newDigest?: string
    }
  | { readonly ok: false; readonly reason: ApiKeyRefusal }

/** Keys of one prefix and environment. */
export interface ApiKeys {
  /** Makes a key and its record. Throws a CryptoError, `invalid_option`, at scopes and times that can't be meant. */
  generate(options?: GenerateOptions): GeneratedApiKey
  /** The id by which to look up the record; or why there is no need to, which needs no secret. Never throws. */
  parse(text: string): ParsedApiKey
  /**
   * Whether the text is the record's key and works at that time (default: now). Without a record it takes as long as
   * with one. Never throws, whatever the text.
   */
  verify<R extends ApiKeyRecord>(
    text: string,
    record: R | null | undefined,
    now?: number,
  ): VerifiedApiKey<R>
  /**
   * Makes a key with the same scopes, tier and beginning. Throws a CryptoError: `key_not_active` when the old one is revoked,
   * replaced or expired, `invalid_option` at times that can't be meant.
   */
  rotate<R extends ApiKeyRecord>(record: R, options: RotateOptions): RotatedApiKey<R>
}

/** API keys as `prefix_env_id_secret`, a checksum at their end. Throws a CryptoError: `invalid_option`, `weak_secret`. */
export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const { prefix, env, pepper, now: clock = Date.now } = options
  const format = createKeyFormat(prefix, env)
  const digests = createDigests(pepper, format.length)

  function create(facts: Omit<ApiKeyRecord, 'id' | 'digest'>): GeneratedApiKey {
    const { id, text } = format.create()
    return { key: text, record: { id, digest: digests.of(text), ...facts } }
  }

  return {
    generate({ scopes = [], tier = null, notBefore = null, expiresAt = null } = {}) {
      const createdAt = clock()
      checkLifetime({ notBefore, expiresAt }, createdAt)
      // Each by its name: options may come from a request, and hold an id or a digest that isn't ours.
      return create({ scopes: checkScopes(scopes), tier, createdAt, notBefore, expiresAt })
    },
    parse(text) {
      const reason = format.faultOf(text)
      return reason ? { ok: false, reason } : { ok: true, id: format.idOf(text) }
    },
    verify(text, record, now = clock()) {
      const match = format.fits(text) ? digests.match(text, record?.digest) : 'mismatch'
      const isRight = match === 'current' || match === 'previous'
      if (!record || !isRight) {
        // What is right has the right form: this only says why it isn't.
        const reason = format.faultOf(text) ?? (record && !isRight ? match : 'unknown')
        return { ok: false, reason }
      }
      const standing = standingOf(record, now)
      if (standing) return { ok: false, reason: standing }
      return match === 'current'
        ? { ok: true, record }
        : { ok: true, record, newDigest: digests.of(text) }
    },
    rotate(record, { overlapMs, expiresAt = record.expiresAt ?? null }) {
      const now = clock()
      checkOverlap(overlapMs)
      refuseEnded(record, now)
      const { scopes, tier = null, notBefore = null } = record
      checkLifetime({ notBefore, expiresAt }, now)
      const created = create({ scopes, tier, createdAt: now, notBefore, expiresAt })
      const replaced = { ...record, replacedBy: created.record.id, overlapUntil: now + overlapMs }
      return { ...created, replaced }
    },
  }
}

function refuseEnded(record: ApiKeyRecord, now: number): void {
  const standing = standingOf(record, now)
  const isReplaced = (record.replacedBy ?? undefined) !== undefined
  if (!isReplaced && (!standing || standing === 'not_yet')) return
  const remedy = isReplaced ? 'Rotate the key that took its place.' : 'Generate a new key instead.'
  const why = isReplaced ? 'replaced' : standing
  throw new CryptoError('key_not_active', `The key can't be rotated: it is ${why}. ${remedy}`)
}
