import { OPEN_BRACE, spaceEnd, textStart } from '../upstreams/json-bytes.ts'
import { isNamed, objectAt, stringAt } from '../upstreams/json-members.ts'
import { boundaryOf, type ModelNames, renameField } from './model-field.ts'

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
  const object = body[start] === OPEN_BRACE ? objectAt(body, start) : undefined
  if (object === undefined || spaceEnd(body, object.end) !== body.length) return body
  const pieces: Buffer[] = []
  let kept = 0
  for (const member of object.members) {
    if (!isNamed(body, member, 'model')) continue
    const { value, end } = member
    const name = models.get(stringAt(body, value, end) ?? '')
    if (name === undefined) continue
    pieces.push(body.subarray(kept, value), Buffer.from(JSON.stringify(name)))
    kept = end
  }
  return kept === 0 ? body : Buffer.concat([...pieces, body.subarray(kept)])
}
