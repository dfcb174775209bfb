import { isSpace, spaceEnd, textStart, valueEnd } from './json-bytes.ts'

/** The byte that the last one must be where the first one is this. */
const LAST_BYTE: ReadonlyMap<number, number> = new Map(
  ['{}', '[]', '""'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
)

/**
 * Whether `body` is one JSON text (RFC 8259) from its beginning to its end, as `JSON.parse` would take
 * it; a byte order mark is passed over, as clients do. Of an object, array or string no part but the
 * whole is; of a number one can't tell. An empty body is no JSON.
 *
 * A body that was cut is nearly always refused by its last byte alone.
 */
export function isWholeJson(body: Buffer): boolean {
  const start = textStart(body)
  const last = LAST_BYTE.get(body[start] ?? 0)
  if (last !== undefined && lastByte(body) !== last) return false
  const end = valueEnd(body, start)
  return end !== -1 && spaceEnd(body, end) === body.length
}

/** The last byte that is no white space. */
function lastByte(body: Buffer): number | undefined {
  let i = body.length - 1
  while (isSpace(body[i])) i -= 1
  return body[i]
}
