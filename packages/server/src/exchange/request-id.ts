const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/

/**
 * A request id that came from outside, if it is well formed: at most 128 of A–Z a–z 0–9 `.` `_` `-`.
 * Anything else, which might break a header, a log line or a file name, is `undefined`.
 */
export function acceptRequestId(value: string | undefined): string | undefined {
  return value !== undefined && ACCEPTED.test(value) ? value : undefined
}

const ALPHABET = new TextEncoder().encode(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
)
const ID_CHARS = 22
const POOL_BYTES = 8192

const random = new Uint8Array(POOL_BYTES)
const ascii = new TextDecoder('latin1')
let pool = ''
let position = 0

/**
 * A new request id: `req_` and 22 random characters (131 bits). They come from the system's random
 * source by the pool, so that an id costs no call into it.
 */
export function newRequestId(): string {
  if (position + ID_CHARS > pool.length) refill()
  position += ID_CHARS
  return `req_${pool.slice(position - ID_CHARS, position)}`
}

function refill(): void {
  crypto.getRandomValues(random)
  pool = ascii.decode(random.subarray(0, spell(random)))
  position = 0
}

/**
 * Makes characters of random bytes, in place, and returns how many. By itself, since V8 optimises a loop as it
 * runs and throws that away again at the first thing behind it.
 */
function spell(bytes: Uint8Array): number {
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    // Six bits pick a character; the two values without one are skipped, so all 62 are as likely.
    const char = ALPHABET[(bytes[i] ?? 0) & 63]
    if (char !== undefined) bytes[length++] = char
  }
  return length
}
