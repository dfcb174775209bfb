import { readBase64Url } from '../encoding.ts'
import { CryptoError } from '../errors.ts'
import { FIXED_BYTES, type Room, roomFor } from './room.ts'

/** An envelope's parts: `tgv1.<fingerprint>.<bytes>`, base64url without padding. */
export interface Envelope {
  /** Of the ring's secret that the data key is wrapped with. */
  readonly fingerprint: string
  readonly room: Room
  /** Where the bytes in the room end. */
  readonly end: number
}

/** The most that an envelope holds. */
export const MAX_BYTES = 256 * 1024 * 1024

// 9 bytes: no spare bits, so every text of this form is the only one for its bytes.
const HEAD = /^tgv1\.[\w-]{12}\./
const FINGERPRINT_AT = 5
const FINGERPRINT_END = 17
/** The length of an envelope's text before its bytes. */
const HEAD_LENGTH = 18
const ANY_VERSION = /^tgv(\d{1,9})\./

/** An envelope's text before its bytes. */
export function headOf(fingerprint: string): string {
  return `tgv1.${fingerprint}.`
}

/**
 * Whether a value is an envelope of this package by its whole form: version, every length, every character. It looks at
 * no key; {@link open} proves it. Use it to find what is still to be sealed in data of your own, and never to spare
 * a stranger's input the sealing: anyone can write a text of this form.
 */
export function isSealed(value: unknown): boolean {
  return typeof value === 'string' && parse(value) !== undefined
}

/**
 * The parts of an envelope, in memory that the next call overwrites.
 *
 * @throws CryptoError `unknown_version` if it is an envelope of a version this release doesn't know, `not_sealed` if it
 *   is something else, `corrupt` if it begins as an envelope and doesn't go on as one
 */
export function parseEnvelope(text: string): Envelope {
  if (typeof text !== 'string') throw notSealed()
  const envelope = parse(text)
  if (envelope) return envelope
  const version = ANY_VERSION.exec(text)?.[1]
  if (version === undefined) throw notSealed()
  if (version !== '1') {
    throw new CryptoError(
      'unknown_version',
      `The envelope is of version ${version}, and this release knows version 1. Update @tidegate/crypto.`,
    )
  }
  throw new CryptoError(
    'corrupt',
    'The envelope is damaged: it is cut off, or holds what no envelope does. Restore it from a backup.',
  )
}

function parse(text: string): Envelope | undefined {
  if (!HEAD.test(text)) return undefined
  const encoded = text.slice(HEAD_LENGTH)
  const length = Math.floor((encoded.length * 3) / 4)
  if (length < FIXED_BYTES || length > FIXED_BYTES + MAX_BYTES) return undefined
  const room = roomFor(length)
  const end = readBase64Url(encoded, room.bytes)
  if (end === undefined) return undefined
  return { fingerprint: text.slice(FINGERPRINT_AT, FINGERPRINT_END), room, end }
}

function notSealed(): CryptoError {
  return new CryptoError('not_sealed', 'This is not an envelope. Seal it first.')
}
