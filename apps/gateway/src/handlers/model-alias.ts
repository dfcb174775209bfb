import {
  CLOSE_BRACE,
  COMMA,
  nameEnd,
  OPEN_BRACE,
  spaceEnd,
  stringEnd,
  textStart,
  valueEnd,
} from '../upstreams/json-bytes.ts'
import { boundaryOf, type ModelNames, renameField } from './model-field.ts'

const NAME = Buffer.from('"model"')
/** The same with every letter as `\uXXXX`. */
const LONGEST_NAME = 32
const BACKSLASH = 0x5c

/**
 * The body with the model that it asks for renamed, if that is an alias; every other byte stays. It is
 * the string of a JSON object's top-level member `model`, however the name is escaped, and of each of
 * them where there are several; in `multipart/form-data` it is the field `model`. A body of another kind
 * (compressed ones too), or with nothing to rename, is given back as it is.
 */
export function renameModel(body: Buffer, models: ModelNames, contentType?: string): Buffer {
  if (models.size === 0) return body
  const boundary = boundaryOf(contentType)
  return boundary === undefined ? inObject(body, models) : renameField(body, boundary, models)
}

function inObject(body: Buffer, models: ModelNames): Buffer {
  const start = textStart(body)
  if (body[start] !== OPEN_BRACE) return body
  const pieces: Buffer[] = []
  let kept = 0
  let at = spaceEnd(body, start + 1)
  if (body[at] === CLOSE_BRACE) return body
  for (;;) {
    const value = nameEnd(body, at)
    const end = value === -1 ? -1 : valueEnd(body, value)
    if (end === -1) return body
    const name = isModel(body, at) ? models.get(stringAt(body, value, end) ?? '') : undefined
    if (name !== undefined) {
      pieces.push(body.subarray(kept, value), Buffer.from(JSON.stringify(name)))
      kept = end
    }
    const mark = spaceEnd(body, end)
    at = spaceEnd(body, mark + 1)
    if (body[mark] === COMMA) continue
    const whole = body[mark] === CLOSE_BRACE && at === body.length
    return whole && kept > 0 ? Buffer.concat([...pieces, body.subarray(kept)]) : body
  }
}

/** Whether the member at `at` is called `model`. */
function isModel(body: Buffer, at: number): boolean {
  const end = stringEnd(body, at)
  const size = end - at
  if (size === NAME.length) return body.compare(NAME, 0, size, at, end) === 0
  // Every other way to write it is with escapes, and longer.
  if (size < NAME.length || size > LONGEST_NAME) return false
  return body.subarray(at, end).includes(BACKSLASH) && stringAt(body, at, end) === 'model'
}

/** The string from `at` to `end`, `undefined` if it is another kind of value. */
function stringAt(body: Buffer, at: number, end: number): string | undefined {
  const value: unknown =
    body[at] === NAME[0] ? JSON.parse(body.toString('utf8', at, end)) : undefined
  return typeof value === 'string' ? value : undefined
}
