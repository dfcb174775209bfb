import { ServerError } from '../problems/errors.ts'
import { locateJsonFault } from './json-error.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A body as a value, or what is wrong with it. */
export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ServerError }

/**
 * Reads a JSON body. Keys that could reach a prototype when the value is merged into another object
 * (`__proto__`, `constructor.prototype`) are left out. The error names the position of the fault and
 * never repeats the body.
 */
export function parseJson(body: Uint8Array): ParsedJson {
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    return refused('The body is not valid UTF-8')
  }
  if (text.trim() === '') return refused('The body is empty')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refused(describe(text))
  }
  if (SUSPICIOUS.test(text)) removePrototypeKeys(value)
  return { ok: true, value }
}

function refused(message: string): ParsedJson {
  return { ok: false, error: new ServerError('invalid_json', `${message}.`) }
}

function describe(text: string): string {
  const fault = locateJsonFault(text)
  if (fault === undefined) return 'The body is not valid JSON'
  const { line, column, position, expected } = fault
  return `The body is not valid JSON: expected ${expected} at line ${line}, column ${column} (position ${position})`
}

// A key may be spelled with escapes, so any escape makes the text suspicious.
const SUSPICIOUS = /__proto__|constructor|\\u/

function removePrototypeKeys(root: unknown): void {
  const open = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    Reflect.deleteProperty(value, '__proto__')
    if (Object.hasOwn(value, 'constructor') && hasPrototypeKey(value.constructor)) {
      Reflect.deleteProperty(value, 'constructor')
    }
    for (const child of Object.values(value)) open.push(child)
  }
}

function hasPrototypeKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}
