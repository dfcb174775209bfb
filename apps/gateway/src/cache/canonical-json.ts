import { isUtf8 } from 'node:buffer'

/** A JSON object in the one form that all ways to write it have. */
export interface CanonicalObject {
  readonly text: string
  /** The object's own members: name → canonical value. */
  readonly members: ReadonlyMap<string, string>
}

/** Deeper than any request is meant to be: it is taken for its bytes. */
const MAX_DEPTH = 200

/** With more members than this in all of it, too: to sort what ten megabytes can hold takes half a second. */
const MOST_MEMBERS = 50_000

/**
 * The canonical form of a body that is a JSON object: without insignificant white space, names sorted,
 * strings as they are meant. Two bodies have the same form only if every reader takes them for the same:
 * numbers stay as they are written (1 and 1.0 are two things to some), and so does the order of members
 * below `properties`, in which a model writes what a schema asks for.
 *
 * `undefined` of anything that readers might disagree about: what is no JSON, or has a name twice.
 */
export function canonicalObject(body: Buffer): CanonicalObject | undefined {
  if (!isUtf8(body)) return undefined
  const reader = new Reader(body.toString('utf8'))
  try {
    return reader.whole()
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

/** The body has no canonical form. */
class NotPlain extends Error {}

const SPACE = /[ \t\n\r]*/y
const CONTROL = /[^ -\uffff]/
/** Neither the end, nor an escape, nor a control character. */
const RUN = /[ !#-[\]-\uffff]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Above so many members of one object, names that are there twice are looked for by a set. */
const FEW = 12

class Reader {
  readonly #text: string
  #at = 0
  #members = 0
  /** Nothing in it could be wrong within a string but its escapes. */
  readonly #isOneLine: boolean
  /** Where the next one is, from wherever it was looked for last; -1 where there is none. */
  #backslash: number
  /** The object's own members, while they are read. */
  readonly #own = new Map<string, string>()

  constructor(text: string) {
    this.#text = text
    this.#isOneLine = !text.includes('\n') && !CONTROL.test(text)
    this.#backslash = text.indexOf('\\')
  }

  whole(): CanonicalObject {
    const text = this.#passes('{') ? this.#object(0, false) : refuse()
    this.#skipSpace()
    return this.#at === this.#text.length ? { text, members: this.#own } : refuse()
  }

  #value(depth: number, ordered: boolean): string {
    if (depth > MAX_DEPTH) refuse()
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string()
      case '{':
        this.#at += 1
        return this.#object(depth, ordered)
      case '[':
        this.#at += 1
        return this.#array(depth)
      default:
        return this.#match(NUMBER) || this.#match(WORD) || refuse()
    }
  }

  /** Behind its brace. */
  #object(depth: number, ordered: boolean): string {
    if (this.#passes('}')) return '{}'
    const names: string[] = []
    const pairs: string[] = []
    do {
      this.#skipSpace()
      const name = this.#string()
      this.#members += 1
      if (!this.#passes(':') || this.#members > MOST_MEMBERS) refuse()
      const value = this.#value(depth + 1, name === '"properties"')
      names.push(name)
      pairs.push(`${name}:${value}`)
      if (depth === 0) this.#own.set(JSON.parse(name), value)
    } while (this.#passes(','))
    if (!this.#passes('}') || isRepeating(names)) refuse()
    // Names differ before their ends, or one ends first: what follows them never decides.
    return `{${(ordered ? pairs : pairs.sort()).join(',')}}`
  }

  #array(depth: number): string {
    if (this.#passes(']')) return '[]'
    const values: string[] = []
    do values.push(this.#value(depth + 1, false))
    while (this.#passes(','))
    return this.#passes(']') ? `[${values.join(',')}]` : refuse()
  }

  #string(): string {
    const text = this.#text
    const from = this.#at
    if (text.charCodeAt(from) !== QUOTE) refuse()
    if (this.#isOneLine) {
      const end = text.indexOf('"', from + 1)
      if (this.#isPlain(from, end)) {
        this.#at = end + 1
        return text.slice(from, this.#at)
      }
    }
    this.#at += 1
    let escaped = false
    for (;;) {
      this.#match(RUN)
      const end = text.charCodeAt(this.#at)
      if (end === QUOTE) break
      if (end !== BACKSLASH) refuse()
      escaped = true
      this.#at += 2
    }
    this.#at += 1
    const written = text.slice(from, this.#at)
    return escaped ? meant(written) : written
  }

  #isPlain(from: number, end: number): boolean {
    if (this.#backslash !== -1 && this.#backslash < from) {
      this.#backslash = this.#text.indexOf('\\', from)
    }
    return end !== -1 && (this.#backslash === -1 || this.#backslash > end)
  }

  /** Whether the next character that counts is this one, which is then passed. */
  #passes(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    // Most JSON on the wire has none.
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#match(SPACE)
  }

  #match(pattern: RegExp): string {
    const from = this.#at
    pattern.lastIndex = from
    // What may be empty always matches, and the others leave it at 0 when they don't.
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex
    return this.#at === from ? '' : this.#text.slice(from, this.#at)
  }
}

function isRepeating(names: readonly string[]): boolean {
  if (names.length > FEW) return new Set(names).size < names.length
  return names.some((name, at) => names.indexOf(name) < at)
}

/** Without escapes that needn't be. */
function meant(written: string): string {
  try {
    return JSON.stringify(JSON.parse(written))
  } catch {
    return refuse()
  }
}

function refuse(): never {
  throw new NotPlain()
}
