import type { ClaimSettings } from '../config/auth-settings.ts'
import type { Identity } from './identity.ts'
import type { Verdict } from './verdict.ts'

/** What a token says, once it is known to be true. */
export type Claims = Readonly<Record<string, unknown>>

/** Longer names are nobody's, and would fill logs and limits. */
const LONGEST_NAME = 256

/** How claims become an identity. */
export interface ClaimReading extends ClaimSettings {
  readonly kind: 'jwt' | 'oauth'
  /** Put before the user's name. */
  readonly name?: string | undefined
  /** The tiers that there are. */
  readonly tiers: ReadonlySet<string>
}

/** Whether the claims are enough to pass, and whose they are. */
export function judgeClaims(claims: Claims, reading: ClaimReading): Verdict {
  const lacks = findLacks(claims, reading)
  if (lacks.length > 0) return { kind: 'insufficient', lacks, scope: reading.scopes.join(' ') }
  const identity = identityOf(claims, reading)
  if (identity === undefined) return { kind: 'rejected', reason: 'nobody', genuine: true }
  return { kind: 'known', identity }
}

function findLacks(claims: Claims, { scopes, claims: required }: ClaimSettings): readonly string[] {
  const granted = scopesOf(claims)
  const lackingScopes = scopes.filter((scope) => !granted.includes(scope))
  const lackingClaims = [...required]
    .filter(([name, value]) => !hasValue(readClaim(claims, name), value))
    .map(([name]) => name)
  return [
    ...lackingScopes.map((scope) => `scope ${JSON.stringify(scope)}`),
    ...lackingClaims.map((name) => `claim ${JSON.stringify(name)}`),
  ]
}

/** `scope` is a text with spaces (RFC 8693 §4.2); some servers have a list, or call it `scp`. */
function scopesOf({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap((value) => (typeof value === 'string' ? value.split(' ') : value))
}

function hasValue(found: unknown, value: unknown): boolean {
  return Array.isArray(found) ? found.includes(value) : found === value
}

function identityOf(claims: Claims, reading: ClaimReading): Identity | undefined {
  const user = nameOf(readClaim(claims, reading.userClaim))
  // A token that a service got for itself may speak for no user (RFC 7662 §2.2).
  const own = user ?? (reading.kind === 'oauth' ? nameOf(claims.client_id) : undefined)
  if (own === undefined) return undefined
  const id = reading.name === undefined ? own : `${reading.name}:${own}`
  const tier = tierOf(readClaim(claims, reading.tierClaim), reading.tiers)
  const sessionId = nameOf(claims.sid)
  return Object.freeze({
    kind: reading.kind,
    id,
    ...(user !== undefined && { user: id }),
    ...(tier !== undefined && { tier }),
    ...(sessionId !== undefined && { sessionId }),
  })
}

function nameOf(value: unknown): string | undefined {
  // Beyond the safe ones, several numbers are read as the same: one user would be taken for another.
  const text = Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || text === '' || text.length > LONGEST_NAME) return undefined
  // The same goes for halves of characters, once they are written as UTF-8.
  return text.isWellFormed() ? text : undefined
}

function tierOf(value: unknown, tiers: ReadonlySet<string>): string | undefined {
  const named = Array.isArray(value) ? value : [value]
  return named.find((each): each is string => typeof each === 'string' && tiers.has(each))
}

/** A claim by its own name, or else by a path: `realm_access.roles`. */
export function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Claims)[part]
  }
  return value
}
