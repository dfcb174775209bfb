/** Where a text stops being JSON. */
export interface JsonFault {
  /** Characters before the fault, from 0. */
  readonly position: number
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** What could have stood there. */
  readonly expected: string
}

const BLANK = /[ \t\n\r]*/y
const LITERAL = /true|false|null/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// A string is read in runs: one expression for all of it would overflow on a long one.
// The class is all from the blank up but the quote and the backslash.
const PLAIN = /[ !#-[\]-\uffff]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

const CLOSING = { '{': '}', '[': ']' } as const
const AFTER = { '{': '"," or "}"', '[': '"," or "]"', '': 'the end of the body' } as const
type Container = keyof typeof AFTER

/**
 * Finds the first place where a text stops being JSON (RFC 8259), or `undefined` if it is JSON.
 *
 * `JSON.parse` names a position only for some faults, and quotes the text around it for the others:
 * an error message must not repeat what may be a secret.
 */
export function locateJsonFault(text: string): JsonFault | undefined {
  const fault = new Scanner(text).scan()
  if (fault === undefined) return undefined
  const before = text.slice(0, fault.position)
  const line = before.split('\n').length
  return { ...fault, line, column: fault.position - before.lastIndexOf('\n') }
}

interface Fault {
  readonly position: number
  readonly expected: string
}

/** What was read: a whole value, the beginning of a container's next value, or no JSON. */
type Step = 'value' | 'opened' | Fault

/** Reads tokens with a stack of open containers, so that depth costs memory and not call frames. */
class Scanner {
  readonly #text: string
  readonly #open: Container[] = []
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  scan(): Fault | undefined {
    let step = this.#value()
    while (typeof step === 'string') {
      if (step === 'opened') step = this.#value()
      else {
        this.#skip(BLANK)
        if (this.#open.length === 0 && this.#position === this.#text.length) return undefined
        step = this.#afterValue(this.#open.at(-1) ?? '')
      }
    }
    return step
  }

  #value(): Step {
    this.#skip(BLANK)
    const char = this.#text[this.#position]
    if (char === '{' || char === '[') return this.#enter(char)
    if (char === '"') return this.#string() ?? 'value'
    return this.#skip(LITERAL) || this.#skip(NUMBER) ? 'value' : this.#fault('a value')
  }

  #enter(container: '{' | '['): Step {
    this.#position++
    this.#skip(BLANK)
    if (this.#text[this.#position] === CLOSING[container]) {
      this.#position++
      return 'value'
    }
    this.#open.push(container)
    if (container === '[') return 'opened'
    return this.#name('a property name or "}"') ?? 'opened'
  }

  #afterValue(container: Container): Step {
    const char = this.#text[this.#position]
    if (container !== '' && char === CLOSING[container]) {
      this.#position++
      this.#open.pop()
      return 'value'
    }
    if (container === '' || char !== ',') return this.#fault(AFTER[container])
    this.#position++
    return container === '[' ? 'opened' : (this.#name('a property name') ?? 'opened')
  }

  #name(expected: string): Fault | undefined {
    this.#skip(BLANK)
    if (this.#text[this.#position] !== '"') return this.#fault(expected)
    const fault = this.#string()
    if (fault !== undefined) return fault
    this.#skip(BLANK)
    if (this.#text[this.#position] !== ':') return this.#fault('":"')
    this.#position++
    return undefined
  }

  #string(): Fault | undefined {
    const end = this.#text.length
    let position = this.#position + 1
    for (;;) {
      PLAIN.lastIndex = position
      PLAIN.test(this.#text)
      position = PLAIN.lastIndex
      if (this.#text[position] !== '\\') break
      ESCAPE.lastIndex = position
      if (!ESCAPE.test(this.#text)) break
      position = ESCAPE.lastIndex
    }
    this.#position = position
    if (position >= end) return this.#fault('the end of the string')
    if (this.#text[position] !== '"') return this.#fault('a valid character or escape sequence')
    this.#position++
    return undefined
  }

  #skip(token: RegExp): boolean {
    token.lastIndex = this.#position
    if (!token.test(this.#text)) return false
    this.#position = token.lastIndex
    return true
  }

  #fault(expected: string): Fault {
    return { position: this.#position, expected }
  }
}
