/** What is read of a document: its fields that are numbers, texts, true or false. */
export type PlainDocument = ReadonlyMap<string, number | string | boolean>

/** Sizes of values (https://bsonspec.org/spec.html) that say nothing of their length. */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0 },
  ...{ 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0 },
}

/**
 * Reads the outermost fields of a document. What isn't plain is left out.
 *
 * @throws RangeError when it isn't a document
 */
export function readDocument(bytes: Buffer): PlainDocument {
  const end = bytes.readInt32LE(0) - 1
  if (end < 4 || end >= bytes.length || bytes[end] !== 0) throw new RangeError('not a document')
  const fields = new Map<string, number | string | boolean>()
  let at = 4
  while (at < end) {
    const type = bytes.readUInt8(at)
    const nameEnd = bytes.indexOf(0, at + 1)
    if (nameEnd < 0) throw new RangeError('a name has no end')
    const name = bytes.toString('utf8', at + 1, nameEnd)
    const start = nameEnd + 1
    at = start + sizeOf(bytes, type, start)
    if (at > end) throw new RangeError('a value is too long')
    const value = plainValue(bytes, type, start, at)
    if (value !== undefined) fields.set(name, value)
  }
  return fields
}

function sizeOf(bytes: Buffer, type: number, start: number): number {
  const fixed = FIXED[type]
  if (fixed !== undefined) return fixed
  if (type === 11) {
    const pattern = bytes.indexOf(0, start)
    const options = pattern < 0 ? -1 : bytes.indexOf(0, pattern + 1)
    if (options < 0) throw new RangeError('a pattern has no end')
    return options + 1 - start
  }
  const length = bytes.readInt32LE(start)
  if (length < 0) throw new RangeError('a length is negative')
  if (type === 2 || type === 13 || type === 14) return 4 + length
  if (type === 3 || type === 4 || type === 15) return length
  if (type === 5) return 5 + length
  if (type === 12) return 4 + length + 12
  throw new RangeError('a type is unknown')
}

function plainValue(
  bytes: Buffer,
  type: number,
  start: number,
  end: number,
): number | string | boolean | undefined {
  if (type === 1) return bytes.readDoubleLE(start)
  if (type === 2) return bytes.toString('utf8', start + 4, end - 1)
  if (type === 8) return bytes[start] === 1
  if (type === 16) return bytes.readInt32LE(start)
  return type === 18 ? Number(bytes.readBigInt64LE(start)) : undefined
}

/** A document of small whole numbers, texts, true and false. */
export function writeDocument(fields: Readonly<Record<string, number | string | true>>): Buffer {
  const parts = Object.entries(fields).map(([name, value]) => {
    if (value === true) return Buffer.from(`\x08${name}\0\x01`)
    if (typeof value === 'string') {
      const text = Buffer.from(`${value}\0`)
      return Buffer.concat([Buffer.from(`\x02${name}\0`), int32(text.length), text])
    }
    return Buffer.concat([Buffer.from(`\x10${name}\0`), int32(value)])
  })
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 5), body, Buffer.of(0)])
}

/** Four bytes, the least first. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
