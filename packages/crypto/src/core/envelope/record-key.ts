import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
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
const PREFIX = Buffer.from('\0\0\0\x01tidegate envelope v1: key, commitment\0')
const SUFFIX = Buffer.from([0, 0, 2, 0])

/**
 * Derives the key of a record and a commitment to it from its data key and its context.
 *
 * AES-GCM commits to nothing: with some work, one ciphertext opens under two keys to two texts. The commitment rules
 * that out, and as the context is in it as well, says for certain whether the context is the one of the sealing.
 */
export function deriveRecordKey(dataKey: Uint8Array, context: Uint8Array): RecordKey {
  const derived = createHmac('sha512', createSecretKey(dataKey))
    .update(PREFIX)
    .update(context)
    .update(SUFFIX)
    .digest()
  return {
    key: createSecretKey(derived.subarray(0, KEY_BYTES)),
    commitment: derived.subarray(KEY_BYTES, KEY_BYTES + COMMITMENT_BYTES),
  }
}
