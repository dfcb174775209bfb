import { currentContext, type Fields } from './context.ts'
import type { Redactor } from './redact/redactor.ts'
import { REDACTED } from './redact/text.ts'
import { isError, type Json, Walk } from './redact/value.ts'

/** A line's fields, ready for JSON and free of secrets. */
export type CleanFields = Record<string, Json>

/** Adds scrubbed copies of `fields` to `out`; later ones win. Never throws. */
export function addFields(
  out: CleanFields,
  fields: Fields,
  redactor: Redactor,
  hasMessage: boolean,
): void {
  const names = plainNames(fields)
  if (names !== undefined) {
    addPlain(out, fields, names, redactor, hasMessage)
    return
  }
  const copy = redactor.value(fields)
  const isRecord = typeof copy === 'object' && copy !== null && !Array.isArray(copy)
  const record: Fields = isRecord ? copy : { fields: copy }
  addPlain(out, record, Object.keys(record), redactor, hasMessage)
}

/**
 * The names of a record that a look at each field says all about. `undefined` for others: a list, a
 * Map, a name-and-value pair, something with a form of its own, or what can't be read.
 */
export function plainNames(fields: Fields): string[] | undefined {
  try {
    const prototype: unknown = Object.getPrototypeOf(fields)
    const plain = prototype === Object.prototype || prototype === null
    return plain && !('value' in fields || 'toJSON' in fields) ? Object.keys(fields) : undefined
  } catch {
    return undefined
  }
}

function addPlain(
  out: CleanFields,
  fields: Fields,
  names: readonly string[],
  redactor: Redactor,
  hasMessage: boolean,
): void {
  for (const name of names) {
    const known = redactor.names(name)
    const value = cleanField(name, known.secret, fields, redactor)
    if (value === undefined) continue
    out[hasMessage && name === 'message' ? '_message' : known.onLine] = value
  }
}

/** Plain values are most of a line: only the others are worth a walk. */
function cleanField(
  name: string,
  secret: boolean,
  fields: Fields,
  redactor: Redactor,
): Json | undefined {
  let value: unknown
  try {
    value = fields[name]
  } catch {
    return '[unreadable]'
  }
  if (typeof value === 'string') return secret && value !== '' ? REDACTED : redactor.text(value)
  if (typeof value === 'number' && Number.isFinite(value)) return secret ? REDACTED : value
  if (typeof value === 'boolean') return value
  return new Walk(redactor.names, redactor.text).copyField(name, value)
}

/** What a log method was called with, sorted out as pino does. */
interface Call {
  readonly fields: Fields | undefined
  readonly message: unknown
  readonly params: readonly unknown[]
}

function sortOut(args: readonly unknown[]): Call {
  const [first, second] = args
  if (typeof first !== 'object') return { fields: undefined, message: first, params: args.slice(1) }
  const params = args.length > 2 ? args.slice(2) : []
  if (first === null) return { fields: undefined, message: second, params }
  if (!isError(first)) return { fields: first as Fields, message: second, params }
  return { fields: { err: first }, message: second ?? messageOf(first), params }
}

function messageOf(error: Error): unknown {
  try {
    return error.message
  } catch {
    return undefined
  }
}

/**
 * Turns the arguments of a log call into clean ones for pino: fields of the logger, of the context and
 * of the line in one object, then the message and what it is formatted with.
 */
export function cleanCall(
  args: readonly unknown[],
  bindings: CleanFields,
  redactor: Redactor,
): [CleanFields, ...unknown[]] {
  const { fields, message, params } = sortOut(args)
  const hasMessage = message !== undefined
  const out: CleanFields = { ...bindings }
  const context = currentContext()
  if (context !== undefined) addFields(out, context, redactor, hasMessage)
  if (fields !== undefined) addFields(out, fields, redactor, hasMessage)
  const text = typeof message === 'string' ? message : redactor.value(message)
  return params.length === 0 ? [out, text] : [out, text, ...params.map(redactor.value)]
}
