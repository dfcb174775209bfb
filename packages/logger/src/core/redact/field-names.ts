import type { SecretNames } from './names.ts'
import type { TextScrubber } from './text.ts'

/** All that is to be known about a field's name. */
export interface FieldName {
  /** Whether its value is a secret. */
  readonly secret: boolean
  /** The name as it is printed: a name may be, or hold, a secret itself. */
  readonly printed: string
  /** The name as it is printed on the line itself, where some names are the logger's own. */
  readonly onLine: string
  /** The name's part of a line that is put together directly; `undefined` where it takes more than that. */
  readonly start: string | undefined
  /** The text this field had last, and how it was written: many fields say the same line after line. */
  lastText: string | undefined
  lastWritten: string
}

export type FieldNames = (name: string) => FieldName

/** The logger's own fields: a caller's field of that name keeps its value under `_name`. */
const RESERVED = new Set(['level', 'timestamp', 'pid', 'thread_id', '__proto__'])

/** Nothing to escape, and no name that pino gives a meaning of its own. */
const PLAIN_NAME = /^(?!message$|socket$)[A-Za-z_][\w.-]*$/

/** Names are few and come again; a flood of new ones empties the table rather than filling memory. */
const MAX_KNOWN = 2_048
const MAX_KNOWN_LENGTH = 64

/** Looks at each name once. */
export function createFieldNames(isSecretName: SecretNames, scrubText: TextScrubber): FieldNames {
  const known = new Map<string, FieldName>()
  return (name) => {
    const seen = known.get(name)
    if (seen !== undefined) return seen
    const printed = scrubText(name)
    const onLine = RESERVED.has(name) ? `_${name}` : printed
    const start = onLine === name && PLAIN_NAME.test(name) ? `,"${name}":` : undefined
    const secret = isSecretName(name)
    const found = { secret, printed, onLine, start, lastText: undefined, lastWritten: '' }
    if (name.length <= MAX_KNOWN_LENGTH) {
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(name, found)
    }
    return found
  }
}
