import { LiveRecording } from './live-recording.ts'
import type { Recording } from './recording.ts'
import { Room } from './room.ts'

/** A complete recording, read back from bytes. */
export interface DecodedRecording<Head> {
  readonly head: Head
  /** A view of what was read: no copy. */
  readonly body: Uint8Array
  readonly begunAt: number
  readonly endedAt: number
}

/** `TGR` and the version. */
const MAGIC = Uint8Array.of(0x54, 0x47, 0x52, 1)
const HEAD_AT = MAGIC.length + 4

/**
 * A complete recording as bytes that a cache can keep: the version, the head as JSON, and the bytes as they
 * are. `undefined` of one that isn't complete, or wasn't kept whole.
 */
export function encodeRecording<Head>(
  recording: Pick<Recording<Head>, 'head' | 'begunAt' | 'endedAt' | 'whole'>,
): Uint8Array | undefined {
  const body = recording.whole()
  if (body === undefined) return undefined
  const { head, begunAt, endedAt } = recording
  const text = Buffer.from(JSON.stringify({ head, begunAt, endedAt, bytes: body.length }))
  const encoded = new Uint8Array(HEAD_AT + text.length + body.length)
  encoded.set(MAGIC)
  new DataView(encoded.buffer).setUint32(MAGIC.length, text.length)
  encoded.set(text, HEAD_AT)
  encoded.set(body, HEAD_AT + text.length)
  return encoded
}

/** Reads what {@link encodeRecording} made; `undefined` when it is something else, or of another version. */
export function decodeRecording<Head>(encoded: Uint8Array): DecodedRecording<Head> | undefined {
  if (encoded.length < HEAD_AT || MAGIC.some((byte, at) => encoded[at] !== byte)) return undefined
  const { buffer, byteOffset, length } = encoded
  const bodyAt = HEAD_AT + new DataView(buffer, byteOffset).getUint32(MAGIC.length)
  if (bodyAt > length) return undefined
  const text = Buffer.from(buffer, byteOffset + HEAD_AT, bodyAt - HEAD_AT).toString()
  const { head, begunAt, endedAt, bytes } = parsed(text)
  if (head === undefined || typeof begunAt !== 'number' || typeof endedAt !== 'number') {
    return undefined
  }
  const body = encoded.subarray(bodyAt)
  return body.length === bytes ? { head: head as Head, body, begunAt, endedAt } : undefined
}

/**
 * A complete recording over encoded bytes, which it doesn't copy and which must not be changed: readers are
 * given all of the body as one chunk. `undefined` where {@link decodeRecording} is.
 */
export function replay<Head>(encoded: Uint8Array): Recording<Head> | undefined {
  const decoded = decodeRecording<Head>(encoded)
  if (decoded === undefined) return undefined
  let now = decoded.begunAt
  const unbounded = Number.POSITIVE_INFINITY
  const room = new Room({
    maxBytes: unbounded,
    maxTotalBytes: unbounded,
    now: () => now,
    onError: () => undefined,
    onFull: () => undefined,
  })
  const recording = new LiveRecording<Head>({ room, persist: true, onOver: () => undefined })
  recording.recorder.head(decoded.head)
  recording.recorder.push(decoded.body)
  now = decoded.endedAt
  recording.recorder.end()
  return recording
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
