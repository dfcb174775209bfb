import { isUtf8 } from 'node:buffer'

/** A JSON object in the one form that all ways to write it have. */
export interface CanonicalObject {
  readonly text: string
  /** The object's own members: name → canonical value. */
  readonly members: ReadonlyMap<string, string>
}

/** Deeper than any request is meant to be: it is taken for its bytes. */
const MAX_DEPTH = 200

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
/** Neither the end, nor an escape, nor a control character. */
const RUN = /[ !#-[\]-\uffff]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): CanonicalObject {
    const members = this.#begin('{') ? this.#members(0) : refuse()
    const canonical = { text: joined(members, false), members }
    this.#skipSpace()
    return this.#at === this.#text.length ? canonical : refuse()
  }

  #value(depth: number, ordered: boolean): string {
    if (depth > MAX_DEPTH) refuse()
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        this.#at += 1
        return joined(this.#members(depth), ordered)
      case '[':
        this.#at += 1
        return this.#array(depth)
      case '"':
        return this.#string()
      default:
        return this.#match(WORD) || this.#match(NUMBER) || refuse()
    }
  }

  #members(depth: number): Map<string, string> {
    const members = new Map<string, string>()
    if (this.#begin('}')) return members
    do {
      this.#skipSpace()
      const name: string = JSON.parse(this.#string())
      if (members.has(name) || !this.#begin(':')) refuse()
      members.set(name, this.#value(depth + 1, name === 'properties'))
    } while (this.#begin(','))
    return this.#begin('}') ? members : refuse()
  }

  #array(depth: number): string {
    if (this.#begin(']')) return '[]'
    const values: string[] = []
    do values.push(this.#value(depth + 1, false))
    while (this.#begin(','))
    return this.#begin(']') ? `[${values.join(',')}]` : refuse()
  }

  #string(): string {
    const text = this.#text
    const from = this.#at
    if (text[from] !== '"') refuse()
    this.#at += 1
    let escaped = false
    for (;;) {
      this.#match(RUN)
      const end = text[this.#at]
      if (end === '"') break
      if (end !== '\\') refuse()
      escaped = true
      this.#at += 2
    }
    this.#at += 1
    const written = text.slice(from, this.#at)
    return escaped ? meant(written) : written
  }

  /** Whether the next character that counts is this one, which is then passed. */
  #begin(character: string): boolean {
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
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}

/** Without escapes that needn't be. */
function meant(written: string): string {
  try {
    return JSON.stringify(JSON.parse(written))
  } catch {
    return refuse()
  }
}

function joined(members: ReadonlyMap<string, string>, ordered: boolean): string {
  const names = ordered ? [...members.keys()] : [...members.keys()].sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${members.get(name)}`).join(',')}}`
}

function refuse(): never {
  throw new NotPlain()
}
