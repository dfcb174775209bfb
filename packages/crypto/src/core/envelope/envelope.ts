import { isUtf8 } from 'node:buffer'
import { randomFillSync, timingSafeEqual } from 'node:crypto'
import { isUint8Array } from 'node:util/types'
import { CryptoError } from '../errors.ts'
import { currentKeysOf, type KeyRing, keysOf } from '../ring/key-ring.ts'
import type { RingKeys } from '../ring/ring-keys.ts'
import { decrypt, encrypt, IV_BYTES } from './aes-gcm.ts'
import { encodeContext, type SealContext } from './context.ts'
import { type Envelope, headOf, MAX_BYTES, parseEnvelope } from './format.ts'
import { deriveRecordKey } from './record-key.ts'
import { FIXED_BYTES, type Room, roomFor, WRAPPED_BYTES } from './room.ts'

/**
 * Seals a text or bytes for one context, with a data key of its own, and gives the envelope as a text of 178 characters
 * and four for every three bytes.
 *
 * @throws CryptoError `not_text` if a text has lone surrogates, which would come back changed; `too_large` above
 *   256 MiB; `invalid_option` if it is neither text nor bytes, or the context has an empty part
 */
export function seal(ring: KeyRing, plaintext: string | Uint8Array, context: SealContext): string {
  const keys = currentKeysOf(ring)
  const contextText = encodeContext(context)
  const bytes = bytesOf(plaintext)
  const room = roomFor(FIXED_BYTES + bytes.length)
  // One call for all that is random, as each costs about as much as encrypting a kilobyte. The data key is drawn to where
  // its wrapped form overwrites it.
  randomFillSync(room.bytes, 0, FIXED_BYTES)
  const { key, commitment } = deriveRecordKey(room.wrappedKey, contextText)
  room.commitment.set(commitment)
  const [ciphertext, tag] = encrypt(key, room.iv, bytes)
  room.tag.set(tag)
  room.bytes.set(ciphertext, FIXED_BYTES)
  wrap(keys, room, room.wrappedKey)
  const end = FIXED_BYTES + ciphertext.length
  return headOf(keys.fingerprint) + room.bytes.toString('base64url', 0, end)
}

/**
 * Opens an envelope for the context it was sealed for.
 *
 * @throws CryptoError `not_sealed` for what is no envelope, `unknown_version` for one of a later release, `unknown_key` if
 *   the ring doesn't have its secret, `wrong_context` if it is genuine and was sealed for another context, `corrupt` if
 *   anything of it was changed; `invalid_option` if the context has an empty part
 */
export function open(ring: KeyRing, envelope: string, context: SealContext): Uint8Array {
  const contextText = encodeContext(context)
  const parts = parseEnvelope(envelope)
  const { room, end } = parts
  const dataKey = unwrap(ring, parts)
  const { key, commitment } = deriveRecordKey(dataKey, contextText)
  dataKey.fill(0)
  checkCommitment(commitment, room)
  const plaintext = decrypt(key, room.iv, room.bytes.subarray(FIXED_BYTES, end), room.tag)
  if (!plaintext) throw damaged()
  return plaintext
}

/**
 * Opens an envelope of a text: {@link open}, and UTF-8.
 *
 * @throws CryptoError as {@link open}, and `not_text` if the bytes that were sealed aren't UTF-8
 */
export function openText(ring: KeyRing, envelope: string, context: SealContext): string {
  const bytes = open(ring, envelope, context)
  if (!isUtf8(bytes)) {
    throw new CryptoError('not_text', 'The envelope holds bytes that are no text. Use open for it.')
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/**
 * Whether an envelope was sealed with another secret than the ring's current one.
 *
 * @throws CryptoError `not_sealed`, `unknown_version` or `corrupt` for what isn't an envelope of this version
 */
export function needsRotation(ring: KeyRing, envelope: string): boolean {
  return parseEnvelope(envelope).fingerprint !== currentKeysOf(ring).fingerprint
}

/**
 * Moves an envelope to the ring's current secret: its data key is wrapped anew and its body stays as it is, unopened.
 * One that is there already comes back as it was, so a job over many can be stopped and begun again.
 *
 * @throws CryptoError as {@link open}; but a change of the ciphertext itself is found by {@link open} alone
 */
export function rewrap(ring: KeyRing, envelope: string, context: SealContext): string {
  const contextText = encodeContext(context)
  const parts = parseEnvelope(envelope)
  const { fingerprint, room } = parts
  const dataKey = unwrap(ring, parts)
  try {
    checkCommitment(deriveRecordKey(dataKey, contextText).commitment, room)
    const keys = currentKeysOf(ring)
    if (fingerprint === keys.fingerprint) return envelope
    randomFillSync(room.bytes, 0, IV_BYTES)
    wrap(keys, room, dataKey)
    const head = headOf(keys.fingerprint) + room.bytes.toString('base64url', 0, WRAPPED_BYTES)
    return head + envelope.slice(head.length)
  } finally {
    dataKey.fill(0)
  }
}

/** Wraps the data key, bound to the record and its context by the commitment, and to version and secret by the key. */
function wrap({ wrapping }: RingKeys, room: Room, dataKey: Uint8Array): void {
  const [wrapped, tag] = encrypt(wrapping, room.wrapIv, dataKey, room.commitment)
  room.wrappedKey.set(wrapped)
  room.wrapTag.set(tag)
}

/** The data key; that it comes out at all proves secret and commitment to be those of the sealing. */
function unwrap(ring: KeyRing, { fingerprint, room }: Envelope): Buffer {
  const keys = keysOf(ring).get(fingerprint)
  if (!keys) throw unknownKey(ring, fingerprint)
  const { wrapIv, wrappedKey, wrapTag, commitment } = room
  const dataKey = decrypt(keys.wrapping, wrapIv, wrappedKey, wrapTag, commitment)
  if (!dataKey) throw damaged()
  return dataKey
}

function checkCommitment(expected: Uint8Array, { commitment }: Room): void {
  if (timingSafeEqual(expected, commitment)) return
  // Data key and commitment are genuine, so what differs is the context.
  throw new CryptoError(
    'wrong_context',
    'The envelope was sealed for another purpose, tenant or row. Look whether it was moved or copied here.',
  )
}

function bytesOf(plaintext: string | Uint8Array): Uint8Array {
  const bytes = typeof plaintext === 'string' ? utf8Of(plaintext) : plaintext
  // Checked here because Node's own complaint would quote the value.
  if (!isUint8Array(bytes)) throw new CryptoError('invalid_option', 'Seal a text or a Uint8Array.')
  if (bytes.length <= MAX_BYTES) return bytes
  throw new CryptoError('too_large', 'At most 256 MiB fit into an envelope. Seal it in parts.')
}

function utf8Of(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  throw new CryptoError(
    'not_text',
    'The text has lone surrogates and could not come back as it is. Seal bytes instead.',
  )
}

function unknownKey(ring: KeyRing, fingerprint: string): CryptoError {
  const known = [ring.fingerprint, ...ring.previous].join(', ')
  return new CryptoError(
    'unknown_key',
    `The envelope was sealed with the secret of the fingerprint ${fingerprint}, and the ring has ${known}. Give that secret as a previous one.`,
  )
}

function damaged(): CryptoError {
  return new CryptoError(
    'corrupt',
    'The envelope is damaged or was tampered with. Restore it from a backup.',
  )
}
