import { threadId } from 'node:worker_threads'
import { pino } from 'pino'
import { currentContext, type Fields } from './context.ts'
import { type CleanFields, plainNames } from './line.ts'
import type { FieldName } from './redact/field-names.ts'
import type { Redactor } from './redact/redactor.ts'
import { REDACTED, type TextScrubber } from './redact/text.ts'

/** Longer texts are rare enough to take the long way. */
const MAX_TEXT = 1_024

/** Printable ASCII without `"` and `\`: JSON writes it as it is. */
const VERBATIM = /^[ !#-[\]-~]*$/

function quote(text: string): string {
  return VERBATIM.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** The text as JSON. What is remembered of it is never a secret. */
function writeText(known: FieldName, text: string, scrub: TextScrubber): string {
  if (text === known.lastText) return known.lastWritten
  const clean = known.secret && text !== '' ? REDACTED : scrub(text)
  const written = quote(clean)
  if (clean === text) {
    known.lastText = text
    known.lastWritten = written
  }
  return written
}

/** The value as JSON, `''` for what JSON leaves out, `undefined` for what isn't plain. */
function writeValue(known: FieldName, value: unknown, scrub: TextScrubber): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? undefined : writeText(known, value, scrub)
    case 'number':
      if (!Number.isFinite(value)) return undefined
      return known.secret ? `"${REDACTED}"` : `${value}`
    case 'boolean':
      return `${value}`
    case 'undefined':
      return ''
    default:
      return value === null ? 'null' : undefined
  }
}

function writeFields(fields: Fields, { names, text }: Redactor): string | undefined {
  const own = plainNames(fields)
  if (own === undefined) return undefined
  let out = ''
  for (const name of own) {
    const known = names(name)
    if (known.start === undefined) return undefined
    const value = writeValue(known, fields[name], text)
    if (value === undefined) return undefined
    if (value !== '') out += known.start + value
  }
  return out
}

/** What a logger adds to its lines, and how that is written; `json` is absent where that isn't plain. */
export interface Bindings {
  readonly fields: CleanFields
  readonly json: string | undefined
}

/**
 * Makes whole lines of what most of them are: fields that are texts, numbers, booleans or `null` under
 * ordinary names, and a message. Such a line is scrubbed and written in one pass, without a copy; for any
 * other the answer is `undefined`, and pino writes it from a clean copy, to the same effect.
 */
export function createPlainLine(
  redactor: Redactor,
  time: () => string,
): (level: number, args: readonly unknown[], bindings: Bindings) => string | undefined {
  const heads = new Map(
    Object.entries(pino.levels.labels).map(([level, label]) => [
      Number(level),
      `{"level":"${label}","timestamp":"`,
    ]),
  )
  const ids = `","pid":${process.pid},"thread_id":${threadId}`
  const message = { ...redactor.names('message'), secret: false }
  return (level, args, { fields: bound, json }) => {
    const [fields, text] = args
    if (args.length !== 2 || typeof text !== 'string' || text.length > MAX_TEXT) return undefined
    if (json === undefined || currentContext() !== undefined) return undefined
    if (typeof fields !== 'object' || fields === null) return undefined
    const written = writeOwn(fields as Fields, bound, redactor)
    if (written === undefined) return undefined
    const said = writeText(message, text, redactor.text)
    return `${heads.get(level)}${time()}${ids}${json}${written},"message":${said}}\n`
  }
}

/** `undefined` also where a name is bound already, and for fields that can't be read. */
function writeOwn(fields: Fields, bound: CleanFields, redactor: Redactor): string | undefined {
  try {
    for (const name in bound) if (name in fields) return undefined
    return writeFields(fields, redactor)
  } catch {
    return undefined
  }
}

/** Writes what a logger adds once, for all its lines. */
export function writeBindings(fields: CleanFields, redactor: Redactor): Bindings {
  return { fields, json: writeFields(fields, redactor) }
}
