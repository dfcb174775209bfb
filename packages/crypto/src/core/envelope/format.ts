import { fromBase64Url, toBase64Url } from '../encoding.ts'
import { CryptoError } from '../errors.ts'
import { IV_BYTES, TAG_BYTES } from './aes-gcm.ts'
import { COMMITMENT_BYTES } from './record-key.ts'

/** An envelope's parts: `tgv1.<fingerprint>.<wrapped key>.<body>`, all of them base64url without padding. */
export interface Envelope {
  /** Of the ring's secret that the data key is wrapped with. */
  readonly fingerprint: string
  /** iv, wrapped data key, tag: 60 bytes. */
  readonly wrapped: Buffer
  /** Commitment, iv, ciphertext, tag. */
  readonly body: Buffer
}

const PREFIX = 'tgv1'
const FINGERPRINT_LENGTH = 12
const MIN_BODY_BYTES = COMMITMENT_BYTES + IV_BYTES + TAG_BYTES
// 9 and 60 bytes: no spare bits, so every text of this form is the only one for its bytes.
const HEAD = /^tgv1\.([\w-]{12})\.([\w-]{80})\./
const ANY_VERSION = /^tgv(\d{1,9})\./

/** An envelope's text before its body. */
export function headOf(fingerprint: string, wrapped: Uint8Array): string {
  return `${PREFIX}.${fingerprint}.${toBase64Url(wrapped)}.`
}

const AAD = Buffer.from(
  `${PREFIX}.${'-'.repeat(FINGERPRINT_LENGTH)}.${'-'.repeat(COMMITMENT_BYTES)}`,
)
const COMMITMENT_AT = AAD.length - COMMITMENT_BYTES

/**
 * What a wrapped data key is bound to beside itself: version, secret, and by the commitment the record and its context.
 * The same memory for each call, as it is used up at once.
 */
export function wrapAad(fingerprint: string, commitment: Uint8Array): Buffer {
  AAD.write(fingerprint, PREFIX.length + 1, 'latin1')
  AAD.set(commitment, COMMITMENT_AT)
  return AAD
}

/**
 * Whether a value is an envelope of this package by its whole form: version, every length, every character. It looks at
 * no key; {@link open} proves it. Use it to find what is still to be sealed in data of your own, and never to spare
 * a stranger's input the sealing: anyone can write a text of this form.
 */
export function isSealed(value: unknown): boolean {
  return typeof value === 'string' && HEAD.test(value) && parseParts(value) !== undefined
}

/**
 * The parts of an envelope.
 *
 * @throws CryptoError `unknown_version` if it is an envelope of a version this release doesn't know, `not_sealed` if it
 *   is something else, `corrupt` if it begins as an envelope and doesn't go on as one
 */
export function parseEnvelope(text: string): Envelope {
  const envelope = typeof text === 'string' ? parseParts(text) : undefined
  if (envelope) return envelope
  const version = ANY_VERSION.exec(text)?.[1]
  if (version === undefined) {
    throw new CryptoError('not_sealed', 'This is not an envelope. Seal it first.')
  }
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

function parseParts(text: string): Envelope | undefined {
  const [head, fingerprint, key] = HEAD.exec(text) ?? []
  if (!(head && fingerprint && key)) return undefined
  const body = fromBase64Url(text.slice(head.length))
  if (!body || body.length < MIN_BODY_BYTES) return undefined
  return { fingerprint, wrapped: Buffer.from(key, 'base64url'), body }
}
