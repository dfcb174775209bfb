/** JSON as it came: nothing about it is taken for granted, as the gateway may be of another version. */
export type Fields = Readonly<Record<string, unknown>>

/** The fields of an object; none of anything else. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {}
}

/** The items of a list; none of anything else. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A finite number, or nothing. */
export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** A text, or nothing; numbers that stand for a word (an HTTP status) are one. */
export function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : null
}

/** Milliseconds since 1970, of an instant in ISO 8601 or in milliseconds. */
export function instant(value: unknown): number | null {
  if (typeof value !== 'string') return number(value)
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : at
}

/** An object's members as a list, with names that may be anything. */
export function entries<T>(value: unknown, read: (name: string, value: Fields) => T): readonly T[] {
  return Object.entries(fields(value)).map(([name, member]) => read(name, fields(member)))
}
