import { hash } from 'node:crypto'
import { describe } from './duration.ts'
import { CacheError } from './errors.ts'

/** What no key of a user begins with, nor goes on with inside a namespace. */
const OWN = '\u0000'

/**
 * The key as it is stored: inside its namespace, and by its SHA-256 when it is too long, in a form that
 * nobody's key has.
 */
export function fullKey(prefix: string, key: unknown, maxLength: number): string {
  const checked = checkKey(key)
  if (prefix.length + checked.length <= maxLength) return prefix + checked
  return `${prefix}${OWN}sha256:${hash('sha256', checked, 'base64url')}`
}

/** Whether a key as it is stored is one of the cache's own, which nobody can ask for as it is. */
export function isOwn(key: string): boolean {
  return key.startsWith(OWN) || key.includes(`:${OWN}`)
}

/** A text that isn't empty, and is a text in UTF-8 too: else two keys could become one there. */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string' || key === '' || !key.isWellFormed()) {
    throw new CacheError(
      'invalid_key',
      `A key is ${describe(key)}; it has to be a well-formed text that isn’t empty.`,
    )
  }
  if (!isOwn(key)) return key
  throw new CacheError(
    'invalid_key',
    'A key begins with U+0000, or has it after a colon: those are the cache’s own.',
  )
}

/** Anything that can be told from "nothing is there", and isn't still to come. */
export function checkValue(value: unknown): unknown {
  if (value === undefined) {
    throw new CacheError('invalid_value', 'undefined can’t be stored: use null, or delete the key.')
  }
  if (value instanceof Promise) {
    // What it may reject with is told here already.
    value.catch(() => {})
    throw new CacheError('invalid_value', 'A promise can’t be stored: await it first.')
  }
  return value
}
