import { hash, randomBytes } from 'node:crypto'

/** A session id that can't be guessed: 192 random bits, safe in URLs and headers. */
export function newSessionId(): string {
  return `sess_${randomBytes(24).toString('base64url')}`
}

/**
 * What stores know of a session instead of its id, and what may be shown. The user is part of it, so that
 * the same id of two users is two sessions and one hash tells nothing about another.
 */
export function sessionHandle(user: string, id: string): string {
  return hash('sha256', JSON.stringify(['session', user, id]), 'base64url').slice(0, 22)
}
