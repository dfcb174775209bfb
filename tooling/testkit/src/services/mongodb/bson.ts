/** What the documents of a handshake hold. */
type BsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | Date
  | readonly BsonValue[]
  | BsonDocument

export interface BsonDocument {
  readonly [key: string]: BsonValue
}

const type = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  binary: 0x05,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
} as const

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function encodeString(value: string): Buffer {
  const bytes = Buffer.from(`${value}\0`)
  return Buffer.concat([int32(bytes.length), bytes])
}

function encodeNumber(value: number): readonly [number, Buffer] {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return [type.int32, int32(value)]
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return [type.double, bytes]
}

function encodeLong(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

function encodeValue(value: BsonValue): readonly [number, Buffer] {
  if (value === null) return [type.null, Buffer.alloc(0)]
  if (typeof value === 'string') return [type.string, encodeString(value)]
  if (typeof value === 'number') return encodeNumber(value)
  if (typeof value === 'bigint') return [type.int64, encodeLong(value)]
  if (typeof value === 'boolean') return [type.boolean, Buffer.from([value ? 1 : 0])]
  if (value instanceof Date) return [type.date, encodeLong(BigInt(value.getTime()))]
  if (Buffer.isBuffer(value)) {
    return [type.binary, Buffer.concat([int32(value.length), Buffer.from([0]), value])]
  }
  if (Array.isArray(value)) return [type.array, encodeBson(Object.fromEntries(value.entries()))]
  return [type.document, encodeBson(value as BsonDocument)]
}

/** Encodes a document: whole numbers as int32 where they fit, bigint as int64. */
export function encodeBson(document: BsonDocument): Buffer {
  const elements = Object.entries(document).flatMap(([key, value]) => {
    const [kind, bytes] = encodeValue(value)
    return [Buffer.from([kind]), Buffer.from(`${key}\0`), bytes]
  })
  const body = Buffer.concat([...elements, Buffer.from([0])])
  return Buffer.concat([int32(body.length + 4), body])
}

function decodeElement(kind: number, bytes: Buffer, at: number): readonly [BsonValue, number] {
  const length = at + 4 <= bytes.length ? bytes.readInt32LE(at) : 0
  switch (kind) {
    case type.double:
      return [bytes.readDoubleLE(at), 8]
    case type.string:
      return [bytes.toString('utf8', at + 4, at + 3 + length), 4 + length]
    case type.document:
      return [decodeBson(bytes.subarray(at, at + length)), length]
    case type.array:
      return [Object.values(decodeBson(bytes.subarray(at, at + length))), length]
    case type.binary:
      return [bytes.subarray(at + 5, at + 5 + length), 5 + length]
    case type.objectId:
      return [bytes.subarray(at, at + 12), 12]
    case type.boolean:
      return [bytes[at] === 1, 1]
    case type.date:
      return [new Date(Number(bytes.readBigInt64LE(at))), 8]
    case type.null:
      return [null, 0]
    case type.int32:
      return [bytes.readInt32LE(at), 4]
    case type.timestamp:
    case type.int64:
      return [bytes.readBigInt64LE(at), 8]
    default:
      throw new RangeError(`BSON of type 0x${kind.toString(16)} is not read here`)
  }
}

/** Decodes a document; throws a `RangeError` where it is cut off or holds a type that no handshake uses. */
export function decodeBson(bytes: Buffer): BsonDocument {
  const document: Record<string, BsonValue> = {}
  const end = bytes.readInt32LE(0) - 1
  if (end >= bytes.length || end < 4) throw new RangeError('the document is cut off')
  let at = 4
  while (at < end) {
    const kind = bytes.readUInt8(at)
    const keyEnd = bytes.indexOf(0, at + 1)
    if (keyEnd === -1) throw new RangeError('a key does not end')
    const [value, length] = decodeElement(kind, bytes, keyEnd + 1)
    document[bytes.toString('utf8', at + 1, keyEnd)] = value
    at = keyEnd + 1 + length
  }
  return document
}
