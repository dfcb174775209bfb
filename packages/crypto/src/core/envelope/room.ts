import { IV_BYTES, KEY_BYTES, TAG_BYTES } from './aes-gcm.ts'
import { COMMITMENT_BYTES } from './record-key.ts'

const WRAPPED_KEY_AT = IV_BYTES
const WRAP_TAG_AT = WRAPPED_KEY_AT + KEY_BYTES
/** The length of iv, wrapped data key and tag, which rewrapping changes. */
export const WRAPPED_BYTES = WRAP_TAG_AT + TAG_BYTES
const IV_AT = WRAPPED_BYTES + COMMITMENT_BYTES
const TAG_AT = IV_AT + IV_BYTES
/** The length of all that stands before the ciphertext. */
export const FIXED_BYTES = TAG_AT + TAG_BYTES

/** An envelope's bytes, and what stands at which place in them. */
export interface Room {
  readonly bytes: Buffer
  readonly wrapIv: Uint8Array
  readonly wrappedKey: Uint8Array
  readonly wrapTag: Uint8Array
  readonly commitment: Uint8Array
  readonly iv: Uint8Array
  readonly tag: Uint8Array
}

/** What most secrets fit into. Made once: nine new buffers would cost a tenth of opening a kilobyte. */
const common = createRoom(FIXED_BYTES + 4_096)

/**
 * Room for an envelope of that many bytes, with what was there before. It may be the same for each call, and is used up
 * before there can be another one; no key and no plaintext stays in it.
 */
export function roomFor(length: number): Room {
  return length <= common.bytes.length ? common : createRoom(length)
}

function createRoom(length: number): Room {
  const bytes = Buffer.allocUnsafeSlow(length)
  return {
    bytes,
    wrapIv: bytes.subarray(0, WRAPPED_KEY_AT),
    wrappedKey: bytes.subarray(WRAPPED_KEY_AT, WRAP_TAG_AT),
    wrapTag: bytes.subarray(WRAP_TAG_AT, WRAPPED_BYTES),
    commitment: bytes.subarray(WRAPPED_BYTES, IV_AT),
    iv: bytes.subarray(IV_AT, TAG_AT),
    tag: bytes.subarray(TAG_AT, FIXED_BYTES),
  }
}
