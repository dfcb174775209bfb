import { hash } from 'node:crypto'
import { meaningOf } from './rules.ts'
import type { Limit } from './store.ts'

const fingerprints = new WeakMap<Limit, string>()

/**
 * The one key of a limiter in a store that others can see: the subject only as a hash, which is also the
 * Cluster's slot tag, so that all policies of one subject live together; the policy's name; and a hash of
 * its numbers, so that a changed limit begins anew rather than misread what another one wrote.
 *
 * @param prefix what all keys begin with; default `tidegate:limit:1`, where 1 is the version.
 */
export function limiterKey(subject: string, limit: Limit, prefix = 'tidegate:limit:1'): string {
  return `${prefix}:{${digest(subject, 22)}}:${limit.policy}:${fingerprintOf(limit)}`
}

function fingerprintOf(limit: Limit): string {
  const known = fingerprints.get(limit)
  if (known !== undefined) return known
  const made = digest(meaningOf(limit.rule), 8)
  fingerprints.set(limit, made)
  return made
}

/** 6 bits per character: 22 are beyond finding two subjects that share a key. */
function digest(text: string, length: number): string {
  return hash('sha256', text, 'base64url').slice(0, length)
}
