import { createCipheriv, createDecipheriv, createSecretKey, KeyObject } from 'node:crypto'
import { CryptoError } from '../errors.ts'

/** The length of an AES-256 key. */
export const KEY_BYTES = 32
/** The length of an initialisation vector. */
export const IV_BYTES = 12
/** The length of an authentication tag. */
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
// Given explicitly, or Node would accept tags of 4 bytes when opening.
const OPTIONS = { authTagLength: TAG_BYTES }

/** What {@link sealBytes} and {@link openBytes} have in common. */
export interface AeadOptions {
  /** 32 bytes. A `KeyObject` is several times as fast as bytes. */
  readonly key: Uint8Array | KeyObject
  /** 12 bytes, never the same twice with one key: a second use gives the key's authentication away. */
  readonly iv: Uint8Array
  /** What isn't encrypted, but has to be the same when opening. Default: nothing. */
  readonly aad?: Uint8Array | undefined
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) and gives the ciphertext with the 16-byte tag at its end.
 *
 * This is the layer below envelopes, for test vectors and foreign formats: the caller is responsible for the iv.
 *
 * @throws CryptoError `invalid_option` if the key or the iv doesn't have its length
 */
export function sealBytes(options: AeadOptions & { readonly plaintext: Uint8Array }): Uint8Array {
  const { iv, plaintext, aad } = options
  return Buffer.concat(encrypt(checkedKey(options), iv, plaintext, aad))
}

/**
 * Decrypts what {@link sealBytes} gave, or nothing of it.
 *
 * @throws CryptoError `corrupt` unless key, iv, aad, ciphertext and tag are those it was sealed with; `invalid_option` if
 *   the key or the iv doesn't have its length
 */
export function openBytes(options: AeadOptions & { readonly sealed: Uint8Array }): Uint8Array {
  const { iv, sealed, aad } = options
  const key = checkedKey(options)
  const end = sealed.length - TAG_BYTES
  const opened =
    end < 0 ? undefined : decrypt(key, iv, sealed.subarray(0, end), sealed.subarray(end), aad)
  if (opened) return opened
  throw new CryptoError(
    'corrupt',
    'The sealed bytes, the key, the iv or the aad is not what it was when sealing.',
  )
}

/** Ciphertext and tag. */
export function encrypt(
  key: KeyObject,
  iv: Uint8Array,
  plaintext: Uint8Array,
  aad?: Uint8Array,
): [ciphertext: Buffer, tag: Buffer] {
  const cipher = createCipheriv(ALGORITHM, key, iv, OPTIONS)
  if (aad) cipher.setAAD(aad)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return [ciphertext, cipher.getAuthTag()]
}

/** The plaintext, or nothing if the tag doesn't fit. */
export function decrypt(
  key: KeyObject,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  aad?: Uint8Array,
): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, iv, OPTIONS)
  if (aad) decipher.setAAD(aad)
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  try {
    decipher.final()
    return plaintext
  } catch {
    // Whatever was decrypted isn't what was sealed, and nobody gets to see it.
    plaintext.fill(0)
    return undefined
  }
}

function checkedKey({ key, iv }: AeadOptions): KeyObject {
  const size = key instanceof KeyObject ? key.symmetricKeySize : key.length
  if (size !== KEY_BYTES || iv.length !== IV_BYTES) {
    throw new CryptoError(
      'invalid_option',
      `Give a key of ${KEY_BYTES} bytes and an iv of ${IV_BYTES}.`,
    )
  }
  return key instanceof KeyObject ? key : createSecretKey(key)
}
