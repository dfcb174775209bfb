/** What is stored of a key. Nothing in it can be turned back into the key. Times are milliseconds since 1970. */
export interface ApiKeyRecord {
  /** The public part of the key, by which the record is looked up. */
  readonly id: string
  /** Which pepper, and the HMAC-SHA256 of the whole key with it. */
  readonly digest: string
  /** What the key may do; see `hasScope`. */
  readonly scopes: readonly string[]
  readonly tier?: string | null
  readonly createdAt: number
  /** The first moment at which the key works. Absent: at once. */
  readonly notBefore?: number | null
  /** The first moment at which it doesn't work any more. Absent: it never expires. */
  readonly expiresAt?: number | null
  /** Once it is set, the key doesn't work, whatever time it says. */
  readonly revokedAt?: number | null
  /** The id of the key that took its place. */
  readonly replacedBy?: string | null
  /** The first moment at which a replaced key doesn't work any more. Absent: since it was replaced. */
  readonly overlapUntil?: number | null
}

/** Why a key that is right doesn't work. */
export type ApiKeyStanding = 'revoked' | 'replaced' | 'expired' | 'not_yet'

/** Why the record's key doesn't work at that time, or nothing. A time that is no number counts against the key. */
export function standingOf(record: ApiKeyRecord, now: number): ApiKeyStanding | undefined {
  const { notBefore, expiresAt, revokedAt, replacedBy, overlapUntil } = record
  if (isGiven(revokedAt)) return 'revoked'
  if (isGiven(replacedBy) && !(now < (overlapUntil ?? 0))) return 'replaced'
  if (isGiven(expiresAt) && !(now < expiresAt)) return 'expired'
  if (isGiven(notBefore) && !(now >= notBefore)) return 'not_yet'
  return undefined
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}
