const OVERHEAD = 16
/** What is larger than this is guessed from its first part. */
const MOST_PARTS = 1_000

/**
 * About how many bytes a value takes in memory: texts by their characters, binary data by its length,
 * objects by their properties. Looks at a thousand parts at most; what it can't see into counts little.
 */
export function sizeOf(value: unknown): number {
  const open: unknown[] = [value]
  const seen = new Set<object>()
  let bytes = 0
  for (let looked = 0; open.length > 0; looked++) {
    if (looked === MOST_PARTS) return bytes * (1 + open.length / MOST_PARTS)
    const part = open.pop()
    bytes += OVERHEAD
    if (typeof part === 'string') bytes += part.length * 2
    else if (typeof part === 'object' && part !== null && !seen.has(part)) {
      seen.add(part)
      bytes += ownSize(part, open)
    }
  }
  return bytes
}

/** The size of an object alone; its parts are left in `open`. */
function ownSize(object: object, open: unknown[]): number {
  if (ArrayBuffer.isView(object)) return object.byteLength
  if (object instanceof ArrayBuffer) return object.byteLength
  if (object instanceof Map) {
    for (const [key, value] of object) open.push(key, value)
    return object.size * OVERHEAD
  }
  const parts = object instanceof Set ? [...object] : Object.values(object)
  for (const part of parts) open.push(part)
  return parts.length * OVERHEAD
}
