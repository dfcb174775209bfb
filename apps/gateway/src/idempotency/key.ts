import { GatewayError } from '../problems.ts'

/** The longest key that is taken, as its owner means it. */
const LONGEST = 255

/** What a key of this length takes at most on the wire, with each of its characters escaped. */
const LONGEST_FIELD = 2 * LONGEST + 2

/** A String of structured fields (RFC 9651 §3.3.3), without parameters: the draft defines none. */
const QUOTED = /^"(?:[ !#-[\]-~]|\\["\\])*"$/

/** Visible ASCII, as most clients send it. A quote or backslash would be a String gone wrong. */
const BARE = /^[!#-[\]-~]+$/

/**
 * Reads the value of `Idempotency-Key`: the String that draft-ietf-httpapi-idempotency-key-header asks for,
 * or the bare characters that clients in use send. `"a"` and `a` are the same key. Throws what is to be
 * answered if it is neither; two of these headers are neither.
 */
export function parseIdempotencyKey(value: string): string {
  // Before a pattern looks at it: a header may be long.
  if (value.length > LONGEST_FIELD) throw tooLong()
  const key = unquoted(value.trim())
  if (key === undefined) {
    const form = 'visible ASCII characters, or such and spaces in double quotes'
    throw invalid(`The Idempotency-Key is not one value of ${form}.`)
  }
  if (key === '') throw invalid('The Idempotency-Key is empty.')
  if (key.length > LONGEST) throw tooLong()
  return key
}

function unquoted(value: string): string | undefined {
  if (value === '' || BARE.test(value)) return value
  return QUOTED.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : undefined
}

function tooLong(): GatewayError {
  return invalid(`The Idempotency-Key is longer than ${LONGEST} characters.`)
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_idempotency_key', message)
}
