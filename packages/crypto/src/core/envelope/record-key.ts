import { createSecretKey, hash, type KeyObject } from 'node:crypto'

/** The length of a commitment. */
export const COMMITMENT_BYTES = 32

/** What a record's data key gives in one context. */
export interface RecordKey {
  /** Encrypts the record. */
  readonly key: KeyObject
  /** Stands in the envelope: no other data key and no other context has the same. Valid until the next derivation. */
  readonly commitment: Uint8Array
}

const LABEL = 'tidegate v1:'
const COUNTER_AT = 28
const KEY_AT = COMMITMENT_BYTES
const LABEL_AT = 64
const CONTEXT_AT = LABEL_AT + LABEL.length
const MOST_COMMON = 1_024
const NOTHING = new Uint8Array(32)

/**
 * Where what is hashed and what comes of it are written, so that the key overwrites the data key:
 * before, 28 bytes of no meaning ‖ [1] ‖ data key ‖ label ‖ context; after, commitment ‖ key ‖ label ‖ context.
 */
function createMemory(length: number) {
  const bytes = Buffer.alloc(CONTEXT_AT + length)
  bytes.write(LABEL, LABEL_AT)
  const commitment = bytes.subarray(0, COMMITMENT_BYTES)
  return { bytes, commitment, key: bytes.subarray(KEY_AT, LABEL_AT) }
}

const common = createMemory(MOST_COMMON)

/**
 * Derives the key of a record and a commitment to it from its data key and its context: the one-step KDF of NIST
 * SP 800-56C with SHA-512, whose one block is all that is needed: [1] ‖ data key ‖ label ‖ context. Half of the hash
 * never leaves, so nobody can extend it.
 *
 * AES-GCM commits to nothing: with some work, one ciphertext opens under two keys to two texts. The commitment rules
 * that out, and as the context is in it as well, says for certain whether the context is the one of the sealing.
 */
export function deriveRecordKey(dataKey: Uint8Array, context: string): RecordKey {
  // No character has more than three bytes for each of its code units.
  const most = context.length * 3
  const { bytes, commitment, key } = most <= MOST_COMMON ? common : createMemory(most)
  bytes.writeUInt32BE(1, COUNTER_AT)
  key.set(dataKey)
  const end = CONTEXT_AT + bytes.write(context, CONTEXT_AT)
  // As a text of Latin letters because that takes half the time of a buffer.
  bytes.write(hash('sha512', bytes.subarray(COUNTER_AT, end), 'binary'), 0, 'latin1')
  const recordKey = { key: createSecretKey(key), commitment }
  key.set(NOTHING)
  return recordKey
}
