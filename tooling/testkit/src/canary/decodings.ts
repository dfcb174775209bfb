/** What a text may be saying in one form of encoding. */
export interface Decoding {
  readonly name: string
  readonly texts: readonly string[]
}

/** Decoded by chance, binary rubbish results: only runs of printable text are worth a closer look. */
function readable(bytes: Buffer): string[] {
  return bytes.toString('latin1').match(/[\x20-\x7e]{10,}/g) ?? []
}

function runs(text: string, pattern: RegExp): string[] {
  return text.match(pattern) ?? []
}

// A secret in the middle of an encoded text may begin at any of four offsets of a base64 run.
function base64(text: string): string[] {
  return runs(text, /[A-Za-z0-9+/_-]{14,}/g).flatMap((run) =>
    [0, 1, 2, 3].flatMap((offset) => readable(Buffer.from(run.slice(offset), 'base64'))),
  )
}

// `63 6e`, `63:6e`, `\x63\x6e` and `<Buffer 63 6e …>` are all hex with something in between.
function hex(text: string): string[] {
  const digits = runs(text, /(?:[0-9a-f]{2}(?:[ :]|\\x|, ?0x)?){10,}/gi)
  return digits.flatMap((run) => {
    const bare = run.replace(/\\x|, ?0x|[ :]/g, '')
    return [0, 1].flatMap((offset) => readable(Buffer.from(bare.slice(offset), 'hex')))
  })
}

function byteList(text: string): string[] {
  return runs(text, /(?:\d{1,3}\s*,\s*){9,}\d{1,3}/g).flatMap((run) =>
    readable(Buffer.from(run.split(',').map(Number))),
  )
}

const percentByte = /%([0-9a-f]{2})/gi
const jsonEscape = /\\(?:u([0-9a-f]{4})|(.))/gi

function replaced(text: string, pattern: RegExp, by: (...groups: string[]) => string): string[] {
  const decoded = text.replace(pattern, (_, ...groups: string[]) => by(...groups))
  return decoded === text ? [] : [decoded]
}

const character = (code: string) => String.fromCharCode(Number.parseInt(code, 16))

/** Everything `text` may be saying, by form of encoding. */
export function decodings(text: string): Decoding[] {
  return [
    { name: 'base64', texts: base64(text) },
    { name: 'hex', texts: hex(text) },
    { name: 'bytes', texts: byteList(text) },
    { name: 'percent', texts: replaced(text, percentByte, (code = '') => character(code)) },
    {
      name: 'json',
      texts: replaced(text, jsonEscape, (code, literal = '') =>
        code === undefined ? literal : character(code),
      ),
    },
  ]
}
