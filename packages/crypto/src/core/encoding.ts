import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The largest multiple of 62 that a byte can hold: bytes from it on would make the first digits likelier. */
const UNBIASED = 248

/** Base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** What the last character may be where it has two or four bits that belong to no byte, which have to be zero. */
const LAST_OF_TWO = 'AQgw'
const LAST_OF_THREE = 'AEIMQUYcgkosw048'

/**
 * Writes the bytes of base64url without padding to the start of `into` and says how many there are; or nothing if the text
 * isn't the one way to write them, or has more of them than there is room for.
 */
export function readBase64Url(text: string, into: Buffer): number | undefined {
  const { length } = text
  const rest = length & 3
  const count = into.write(text, 'base64url')
  // Node skips strange characters, which leaves fewer bytes; but it takes the other base64's for these, cuts wide ones
  // to their low byte, and drops spare bits. To encode it all again would tell as well, and costs twice as much.
  if (rest === 1 || count !== Math.floor((length * 3) / 4)) return undefined
  if (text.includes('+') || text.includes('/') || Buffer.byteLength(text) !== length)
    return undefined
  const last = text.charAt(length - 1)
  if (rest === 2 && !LAST_OF_TWO.includes(last)) return undefined
  return rest === 3 && !LAST_OF_THREE.includes(last) ? undefined : count
}

/** The bytes of base64 with padding (RFC 4648 §4), or nothing unless the text is the one way to write them. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Random base62 characters, each of the 62 equally likely: 5.954 bits apiece. */
export function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      if (byte < UNBIASED) text += BASE62.charAt(byte % 62)
    }
  }
  return text
}

/** The CRC-32 of a text's UTF-8 as six base62 digits, zeros in front. */
export function checksumOf(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let i = 0; i < 6; i++) {
    digits = BASE62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
