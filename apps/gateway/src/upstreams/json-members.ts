import { CLOSE_BRACE, COMMA, nameEnd, spaceEnd, stringEnd, valueEnd } from './json-bytes.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** A letter as `\uXXXX`. */
const LONGEST_ESCAPE = 6

/** Where a member of an object stands: its name's opening quote, its value's first byte, and past it. */
export interface Member {
  readonly name: number
  readonly value: number
  readonly end: number
}

/** An object's members, in order, and the index past its closing brace. */
export interface ObjectBytes {
  readonly members: readonly Member[]
  readonly end: number
}

/** The object whose opening brace is at `at`; `undefined` if it is malformed or cut. */
export function objectAt(bytes: Buffer, at: number): ObjectBytes | undefined {
  const members: Member[] = []
  let name = spaceEnd(bytes, at + 1)
  if (bytes[name] === CLOSE_BRACE) return { members, end: name + 1 }
  for (;;) {
    const value = nameEnd(bytes, name)
    const end = value === -1 ? -1 : valueEnd(bytes, value)
    if (end === -1) return undefined
    members.push({ name, value, end })
    const mark = spaceEnd(bytes, end)
    if (bytes[mark] === CLOSE_BRACE) return { members, end: mark + 1 }
    if (bytes[mark] !== COMMA) return undefined
    name = spaceEnd(bytes, mark + 1)
  }
}

/** Whether the member is called `name`, an ASCII word, however that is escaped. */
export function isNamed(bytes: Buffer, { name: at }: Member, name: string): boolean {
  const end = stringEnd(bytes, at)
  const size = end - at - 2
  if (size === name.length) return bytes.toString('latin1', at + 1, end - 1) === name
  // Every other way to write it is with escapes, and longer.
  if (size < name.length || size > name.length * LONGEST_ESCAPE) return false
  return bytes.subarray(at, end).includes(BACKSLASH) && stringAt(bytes, at, end) === name
}

/** The string from `at` to `end`, `undefined` if it is another kind of value. */
export function stringAt(bytes: Buffer, at: number, end: number): string | undefined {
  return bytes[at] === QUOTE ? JSON.parse(bytes.toString('utf8', at, end)) : undefined
}
