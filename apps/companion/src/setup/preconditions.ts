import { requestHeader } from '@tidegate/server'
import type { Context } from 'hono'
import type { CompanionEnv } from '../env.ts'
import { CompanionError } from '../problems.ts'
import type { IsMeant } from './setup-keeper.ts'

/** The ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/**
 * What `If-Match` says (RFC 9110, section 13.1.1): the versions that a change is meant for. Weak ones are no versions.
 *
 * @throws CompanionError `precondition_required` when it says nothing
 */
export function readIfMatch(c: Context<CompanionEnv>): IsMeant {
  const header = requestHeader(c, 'if-match')?.trim()
  if (!header) {
    const message = 'A change has to say which version it is meant for.'
    throw new CompanionError('precondition_required', message, { param: 'If-Match' })
  }
  if (header === '*') return () => true
  const tags = new Set(header.split(',').map((tag) => tag.trim()))
  return (version) => tags.has(etagOf(version))
}
