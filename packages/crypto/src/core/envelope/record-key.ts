import { createSecretKey, hash, type KeyObject } from 'node:crypto'
import { KEY_BYTES } from './aes-gcm.ts'

/** The length of a commitment. */
export const COMMITMENT_BYTES = 32

/** What a record's data key gives in one context. */
export interface RecordKey {
  /** Encrypts the record. */
  readonly key: KeyObject
  /** Stands in the envelope: no other data key and no other context has the same. */
  readonly commitment: Buffer
}

// KDF in counter mode (NIST SP 800-108r1) with HMAC-SHA-512, whose one block is all that is needed:
// [1] ‖ label ‖ 0 ‖ context ‖ [512].
const BEFORE = '\0\0\0\x01tidegate envelope v1: key, commitment\0'
const BEHIND = '\0\0\x02\0'

/**
 * Derives the key of a record and a commitment to it from its data key and its context.
 *
 * AES-GCM commits to nothing: with some work, one ciphertext opens under two keys to two texts. The commitment rules
 * that out, and as the context is in it as well, says for certain whether the context is the one of the sealing.
 */
export function deriveRecordKey(dataKey: Uint8Array, context: string): RecordKey {
  const derived = hmacSha512(dataKey, BEFORE + context + BEHIND)
  const key = derived.subarray(0, KEY_BYTES)
  const recordKey = { key: createSecretKey(key), commitment: derived.subarray(KEY_BYTES) }
  // A buffer this small shares memory that others are given later, not emptied.
  key.fill(0)
  return recordKey
}

const BLOCK_BYTES = 128
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c
const outer = Buffer.alloc(BLOCK_BYTES + 64, OUTER_PAD)
const roomForMost = Buffer.alloc(BLOCK_BYTES + 1_024, INNER_PAD)

/**
 * HMAC-SHA512 (RFC 2104) with a key of at most a block, made of Node's one-shot `hash`. A key serves once here, and
 * `createHmac` takes several times as long to make its stream as the two hashes do.
 */
export function hmacSha512(key: Uint8Array, message: string): Buffer {
  const inner = roomFor(message)
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] ?? 0
    inner[i] = byte ^ INNER_PAD
    outer[i] = byte ^ OUTER_PAD
  }
  const end = BLOCK_BYTES + inner.write(message, BLOCK_BYTES)
  outer.write(hash('sha512', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1')
  const mac = Buffer.from(hash('sha512', outer, 'binary'), 'latin1')
  inner.fill(INNER_PAD, 0, key.length)
  outer.fill(OUTER_PAD, 0, key.length)
  return mac
}

function roomFor(message: string): Buffer {
  const most = BLOCK_BYTES + message.length * 3
  return most <= roomForMost.length ? roomForMost : Buffer.alloc(most, INNER_PAD)
}
