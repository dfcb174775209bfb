import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Entry } from './entry.ts'
import { CacheError } from './errors.ts'
import type { Serializer } from './serializer.ts'

/** How entries are put into bytes. */
export interface EnvelopeOptions {
  readonly serializer: Serializer
  /** Larger payloads are compressed, in bytes; `false`: none. */
  readonly compressAbove: number | false
  /** The largest payload that is written or read, before compression, in bytes. */
  readonly maxValueBytes: number
}

/** What an envelope says before its payload is looked at. */
export interface EnvelopeHead {
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly seq: number
  readonly tags: readonly string[] | undefined
}

/** What of an entry is stored. */
export type Storable = EnvelopeHead & Pick<Entry, 'value'>

// Layout, version 1, numbers little-endian:
//   0 'T'   1 version   2 flags   3 length n of the serializer's name
//   4 createdAt   12 freshUntil   20 staleUntil   28 seq (doubles)   36 length m of the tags (uint32)
//   40 the serializer's name (n)   40+n the tags as JSON (m, 0 for none)   40+n+m the payload
const MAGIC = 0x54
const VERSION = 1
const RAW = 1
const COMPRESSED = 2
const HEAD_BYTES = 40
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** A value is larger than the second tier may have: nobody's error, as it stays in the first one. */
export class ValueTooLarge extends Error {}

/** Entries as bytes, and back: versioned, and nothing that was read is ever trusted to be well-formed. */
export class Envelope {
  readonly #options: EnvelopeOptions
  readonly #name: Buffer

  constructor(options: EnvelopeOptions) {
    this.#options = options
    this.#name = Buffer.from(options.serializer.name, 'latin1')
  }

  /** @throws ValueTooLarge, or CacheError `unserializable`. */
  encode(entry: Storable): Uint8Array {
    const raw = entry.value instanceof Uint8Array
    const payload = raw ? entry.value : this.#serialize(entry.value)
    const { maxValueBytes, compressAbove } = this.#options
    if (payload.length > maxValueBytes) throw new ValueTooLarge()
    const packed =
      compressAbove !== false && payload.length > compressAbove
        ? zstdCompressSync(payload, LEVEL)
        : payload
    // What doesn't get smaller is better read as it is.
    const compressed = packed.length < payload.length
    const flags = (raw ? RAW : 0) | (compressed ? COMPRESSED : 0)
    return this.#join(entry, flags, compressed ? packed : payload)
  }

  /** Says what is inside; `undefined` for what can't be read: of another version, cut off, foreign. */
  decode(bytes: Uint8Array): Storable | undefined {
    try {
      const view = viewOf(bytes)
      const head = headOf(view)
      if (head === undefined) return undefined
      const value = this.#open(view)
      return value === undefined ? undefined : { ...head, value }
    } catch {
      return undefined
    }
  }

  #join(entry: EnvelopeHead, flags: number, payload: Uint8Array): Buffer {
    const tags = entry.tags === undefined ? '' : JSON.stringify(entry.tags)
    const tagBytes = Buffer.byteLength(tags)
    const payloadAt = HEAD_BYTES + this.#name.length + tagBytes
    const bytes = Buffer.allocUnsafe(payloadAt + payload.length)
    bytes.set([MAGIC, VERSION, flags, this.#name.length])
    bytes.writeDoubleLE(entry.createdAt, 4)
    bytes.writeDoubleLE(entry.freshUntil, 12)
    bytes.writeDoubleLE(entry.staleUntil, 20)
    bytes.writeDoubleLE(entry.seq, 28)
    bytes.writeUInt32LE(tagBytes, 36)
    bytes.set(this.#name, HEAD_BYTES)
    bytes.write(tags, HEAD_BYTES + this.#name.length)
    bytes.set(payload, payloadAt)
    return bytes
  }

  #open(view: Buffer): unknown {
    const flags = view.readUInt8(2)
    const nameBytes = view.readUInt8(3)
    const name = view.subarray(HEAD_BYTES, HEAD_BYTES + nameBytes)
    const packed = view.subarray(HEAD_BYTES + nameBytes + view.readUInt32LE(36))
    const maxOutputLength = this.#options.maxValueBytes
    const compressed = (flags & COMPRESSED) !== 0
    const payload = compressed ? zstdDecompressSync(packed, { maxOutputLength }) : packed
    if (payload.length > maxOutputLength) return undefined
    // A view would keep alive all that came over the wire with it.
    if ((flags & RAW) !== 0) return new Uint8Array(payload)
    if (!name.equals(this.#name)) return undefined
    return this.#options.serializer.deserialize(payload)
  }

  #serialize(value: unknown): Uint8Array {
    try {
      return this.#options.serializer.serialize(value)
    } catch (cause) {
      throw new CacheError(
        'unserializable',
        `The serializer "${this.#options.serializer.name}" can't store this value in the second tier. Cache plain data, or choose another serializer.`,
        { cause },
      )
    }
  }
}

/** Reads only what stands before the payload; `undefined` for what can't be read. */
export function readEnvelopeHead(bytes: Uint8Array): EnvelopeHead | undefined {
  try {
    return headOf(viewOf(bytes))
  } catch {
    return undefined
  }
}

function headOf(view: Buffer): EnvelopeHead | undefined {
  if (view.length < HEAD_BYTES || view[0] !== MAGIC || view[1] !== VERSION) return undefined
  const tagsAt = HEAD_BYTES + view.readUInt8(3)
  const tagsEnd = tagsAt + view.readUInt32LE(36)
  if (tagsEnd > view.length) return undefined
  const [createdAt, freshUntil, staleUntil, seq] = [4, 12, 20, 28].map((at) =>
    view.readDoubleLE(at),
  )
  if (!isTime(createdAt) || !isTime(freshUntil) || !isTime(staleUntil) || !isTime(seq))
    return undefined
  if (tagsAt === tagsEnd) return { createdAt, freshUntil, staleUntil, seq, tags: undefined }
  const tags: unknown = JSON.parse(view.toString('utf8', tagsAt, tagsEnd))
  if (!isTexts(tags)) return undefined
  return { createdAt, freshUntil, staleUntil, seq, tags }
}

function isTime(number: number | undefined): number is number {
  return number !== undefined && number >= 0
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
