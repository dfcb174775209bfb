/** How a field of a protobuf message is read: one of the wire's types, or a message of its own. */
type FieldType =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'uint'
  | 'int64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | (() => Schema)

/** A message's fields by their number. A type in a list is a repeated field. */
export type Schema = Readonly<
  Record<number, readonly [name: string, type: FieldType | readonly [FieldType]]>
>

/** A decoded message: only the fields that were sent, 64-bit integers as bigint. */
export type Message = { readonly [field: string]: unknown }

const varint = 0
const eightBytes = 1
const delimited = 2
const fourBytes = 5

/** Reads protobuf's wire format; throws a `RangeError` where it is cut off or malformed. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1).readUInt8(0)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a varint is longer than 10 bytes')
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('the message is cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  /** The bytes of one field's value, or its number where it is a varint. */
  value(wireType: number): Buffer | bigint {
    if (wireType === varint) return this.varint()
    if (wireType === eightBytes) return this.take(8)
    if (wireType === fourBytes) return this.take(4)
    if (wireType === delimited) return this.take(Number(this.varint()))
    throw new RangeError(`there is no wire type ${wireType}`)
  }
}

function fromVarint(value: bigint, type: FieldType): unknown {
  if (type === 'bool') return value !== 0n
  return type === 'int64' ? BigInt.asIntN(64, value) : Number(value)
}

function fromBytes(bytes: Buffer, type: FieldType): unknown {
  if (typeof type === 'function') return decode(bytes, type())
  if (type === 'string') return bytes.toString('utf8')
  if (type === 'double') return bytes.readDoubleLE(0)
  if (type === 'fixed64') return bytes.readBigUInt64LE(0)
  if (type === 'sfixed64') return bytes.readBigInt64LE(0)
  if (type === 'fixed32') return bytes.readUInt32LE(0)
  return Buffer.from(bytes)
}

/** A repeated number may come one by one, or all in one field: packed. */
function unpack(bytes: Buffer, type: FieldType): readonly unknown[] {
  const isPacked = type === 'double' || type === 'fixed64' || type === 'sfixed64'
  if (!isPacked) return [fromBytes(bytes, type)]
  const reader = new Reader(bytes)
  const values: unknown[] = []
  while (!reader.done) values.push(fromBytes(reader.take(8), type))
  return values
}

/** Decodes a protobuf message; fields that the schema doesn't name are passed over. */
export function decode(bytes: Buffer, schema: Schema): Message {
  const message: Record<string, unknown> = {}
  const reader = new Reader(bytes)
  while (!reader.done) {
    const tag = Number(reader.varint())
    const value = reader.value(tag & 7)
    const field = schema[tag >>> 3]
    if (field === undefined) continue
    const [name, type] = field
    if (Array.isArray(type)) {
      const [item] = type as readonly [FieldType]
      const known = (message[name] as readonly unknown[] | undefined) ?? []
      const read = typeof value === 'bigint' ? [fromVarint(value, item)] : unpack(value, item)
      message[name] = [...known, ...read]
    } else {
      const single = type as FieldType
      message[name] =
        typeof value === 'bigint' ? fromVarint(value, single) : fromBytes(value, single)
    }
  }
  return message
}
