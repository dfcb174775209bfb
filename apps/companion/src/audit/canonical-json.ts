/** What JSON can say, and nothing else. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [member: string]: Json }

/** Why a value has no canonical form, and where in it. */
export class NotCanonicalError extends Error {
  /** The place as a JSON pointer (RFC 6901), empty for the whole value. */
  readonly pointer: string

  constructor(pointer: string, message: string) {
    super(message)
    this.name = 'NotCanonicalError'
    this.pointer = pointer
  }
}

const MAX_DEPTH = 32

/**
 * The one text that stands for a value, by RFC 8785 (JCS): members in the order of their UTF-16 code units, no white
 * space, numbers as ECMAScript writes them.
 *
 * Refused is what another reader could take for something else: numbers that aren't finite, lone surrogates, members
 * that are undefined, objects that aren't plain, and more than 32 levels.
 *
 * @throws NotCanonicalError with the place
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', 0)
}

function write(value: unknown, pointer: string, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return writeNumber(value, pointer)
  if (typeof value === 'string') return writeText(value, pointer)
  if (typeof value !== 'object') throw new NotCanonicalError(pointer, `is a ${typeof value}`)
  if (depth === MAX_DEPTH) throw new NotCanonicalError(pointer, 'is nested too deeply')
  if (Array.isArray(value)) {
    // By index: map() would skip a hole, and join() would write it as nothing.
    const items = Array.from(value, (item, at) => write(item, `${pointer}/${at}`, depth + 1))
    return `[${items.join()}]`
  }
  return writeObject(value, pointer, depth)
}

function writeObject(value: object, pointer: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new NotCanonicalError(pointer, 'is no plain object')
  }
  // entries() gives own members only, so one that is called __proto__ is a member like any other.
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  const written = members.map(([name, member]) => {
    const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    return `${writeText(name, place)}:${write(member, place, depth + 1)}`
  })
  return `{${written.join()}}`
}

function writeNumber(value: number, pointer: string): string {
  if (!Number.isFinite(value)) throw new NotCanonicalError(pointer, 'is no finite number')
  return JSON.stringify(value)
}

function writeText(value: string, pointer: string): string {
  if (!value.isWellFormed()) throw new NotCanonicalError(pointer, 'holds half a character')
  return JSON.stringify(value)
}
