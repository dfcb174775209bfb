/**
 * JSON (RFC 8259) read on bytes: exactly what `JSON.parse` takes, with nothing decoded and nothing made.
 * Positions are indexes into the bytes; -1 says that what was looked for is not there. Inside strings
 * bytes above 0x7f are taken as they are, as decoders do not refuse what is no UTF-8.
 */

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const LOWER_E = 0x65
const LOWER_U = 0x75
export const COMMA = 0x2c
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d

/** What may follow a backslash, but for `u`. */
const ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'))

const LITERALS: ReadonlyMap<number, Buffer> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
)

/** Past a byte order mark, which decoders drop, and white space. */
export function textStart(bytes: Buffer): number {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return spaceEnd(bytes, marked ? 3 : 0)
}

/** Past the white space at `at`, if there is any. */
export function spaceEnd(bytes: Buffer, at: number): number {
  let i = at
  while (isSpace(bytes[i])) i += 1
  return i
}

export function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LF || byte === CR || byte === TAB
}

/** Past the string at `at`. */
export function stringEnd(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  const { length } = bytes
  for (let i = at + 1; i < length; i += 1) {
    const byte = bytes[i] as number
    if (byte === QUOTE) return i + 1
    if (byte < SPACE) return -1
    if (byte !== BACKSLASH) continue
    const end = escapeEnd(bytes, i)
    if (end === -1) return -1
    i = end - 1
  }
  return -1
}

/** Past a member's name at `at` and its colon: where its value begins. */
export function nameEnd(bytes: Buffer, at: number): number {
  const end = stringEnd(bytes, at)
  if (end === -1) return -1
  const colon = spaceEnd(bytes, end)
  return bytes[colon] === COLON ? spaceEnd(bytes, colon + 1) : -1
}

/** Past the value at `at`, however deeply it nests. */
export function valueEnd(bytes: Buffer, at: number): number {
  const levels = new Levels()
  for (let i = at; ; ) {
    i = descend(bytes, i, levels)
    if (i === -1) return -1
    i = ascend(bytes, i, levels)
    if (i === -1 || levels.depth === 0) return i
  }
}

/** The bytes that will close what is open. */
class Levels {
  static readonly #usual = new Uint8Array(256)
  #closers = Levels.#usual
  depth = 0

  get innermost(): number {
    return this.#closers[this.depth - 1] as number
  }

  push(closer: number): void {
    if (this.depth === this.#closers.length) {
      const deeper = new Uint8Array(this.depth * 2)
      deeper.set(this.#closers)
      this.#closers = deeper
    }
    this.#closers[this.depth] = closer
    this.depth += 1
  }
}

/** Opens what begins at `at` down to the first value that holds none, and goes past that. */
function descend(bytes: Buffer, at: number, levels: Levels): number {
  for (let i = at; i !== -1; ) {
    const first = bytes[i]
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return scalarEnd(bytes, i)
    // In ASCII each of the two is closed by the byte two after it.
    const closer = first + 2
    i = spaceEnd(bytes, i + 1)
    if (bytes[i] === closer) return i + 1
    levels.push(closer)
    if (closer === CLOSE_BRACE) i = nameEnd(bytes, i)
  }
  return -1
}

/** After a value: closes what ends here; stops where the next value begins, or with nothing open. */
function ascend(bytes: Buffer, at: number, levels: Levels): number {
  let i = at
  for (; levels.depth > 0; i += 1) {
    i = spaceEnd(bytes, i)
    const closer = levels.innermost
    if (bytes[i] === COMMA) {
      const next = spaceEnd(bytes, i + 1)
      return closer === CLOSE_BRACE ? nameEnd(bytes, next) : next
    }
    if (bytes[i] !== closer) return -1
    levels.depth -= 1
  }
  return i
}

function scalarEnd(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first === undefined) return -1
  if (first === QUOTE) return stringEnd(bytes, at)
  const literal = LITERALS.get(first)
  if (literal === undefined) return numberEnd(bytes, at)
  for (let i = 0; i < literal.length; i += 1) if (bytes[at + i] !== literal[i]) return -1
  return at + literal.length
}

function numberEnd(bytes: Buffer, at: number): number {
  let i = bytes[at] === MINUS ? at + 1 : at
  i = bytes[i] === ZERO ? i + 1 : digitsEnd(bytes, i)
  if (i !== -1 && bytes[i] === DOT) i = digitsEnd(bytes, i + 1)
  // As lower case: `E` and `e` differ in one bit.
  if (i === -1 || ((bytes[i] ?? 0) | 0x20) !== LOWER_E) return i
  const sign = bytes[i + 1]
  return digitsEnd(bytes, sign === PLUS || sign === MINUS ? i + 2 : i + 1)
}

/** Past one digit or more. */
function digitsEnd(bytes: Buffer, at: number): number {
  let i = at
  while (isDigit(bytes[i])) i += 1
  return i === at ? -1 : i
}

/** Past the escape whose backslash is at `at`. */
function escapeEnd(bytes: Buffer, at: number): number {
  const escaped = bytes[at + 1]
  if (escaped !== LOWER_U) return escaped !== undefined && ESCAPES.has(escaped) ? at + 2 : -1
  for (let i = at + 2; i < at + 6; i += 1) if (!isHexDigit(bytes[i])) return -1
  return at + 6
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false
  const lower = byte | 0x20
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66)
}
