/** Alias → the upstream's own name of a model. */
export type ModelNames = ReadonlyMap<string, string>

const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))/i

const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END_BYTES = 2

const DISPOSITION = /^content-disposition[ \t]*:[ \t]*form-data[ \t]*;(.*)$/im
/** One parameter, quoted or not, with what separates it from the next. */
const PARAMETER = /[ \t]*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*(?:;|$)/y

/** What separates the parts of a `multipart/form-data` body; `undefined` for any other content type. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] = BOUNDARY.exec(contentType ?? '') ?? []
  return quoted ?? plain
}

/**
 * The form (RFC 7578) with its field `model` renamed where that is an alias, as uploads of audio and
 * images send it. Every other byte stays; a body that is not made of parts is given back as it is.
 */
export function renameField(body: Buffer, boundary: string, models: ModelNames): Buffer {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const pieces: Buffer[] = []
  let kept = 0
  for (let part = firstPart(body, delimiter); part !== -1; ) {
    const end = nextDelimiter(body, delimiter, part)
    if (end === -1) break
    const value = modelValue(body, part, end)
    const name = value === -1 ? undefined : models.get(body.toString('utf8', value, end))
    if (name !== undefined) {
      pieces.push(body.subarray(kept, value), Buffer.from(name))
      kept = end
    }
    part = lineEnd(body, end + delimiter.length)
  }
  return kept === 0 ? body : Buffer.concat([...pieces, body.subarray(kept)])
}

/** Where the first part begins; its delimiter needs no line end before it. -1: nowhere. */
function firstPart(body: Buffer, delimiter: Buffer): number {
  const bare = delimiter.subarray(LINE_END_BYTES)
  if (body.subarray(0, bare.length).equals(bare)) return lineEnd(body, bare.length)
  const at = nextDelimiter(body, delimiter, 0)
  return at === -1 ? -1 : lineEnd(body, at + delimiter.length)
}

/** The next line that is a delimiter, the closing one too, and not only begins like one. */
function nextDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    at = body.indexOf(delimiter, at)
    if (at === -1) return -1
    const end = at + delimiter.length
    if ((body[end] === DASH && body[end + 1] === DASH) || lineEnd(body, end) !== -1) return at
  }
}

/** Past the rest of a delimiter's line; -1 where that is more than padding. */
function lineEnd(body: Buffer, at: number): number {
  let i = at
  while (body[i] === 0x20 || body[i] === 0x09) i += 1
  return body[i] === CR && body[i + 1] === LF ? i + LINE_END_BYTES : -1
}

/** Where the value of this part begins if it is the plain field `model`, otherwise -1. */
function modelValue(body: Buffer, part: number, end: number): number {
  const headEnd = body.subarray(part, end).indexOf(HEAD_END)
  if (headEnd === -1) return -1
  const disposition = DISPOSITION.exec(body.toString('latin1', part, part + headEnd))?.[1] ?? ''
  const parameters = parametersOf(disposition)
  const isField = parameters.get('name') === 'model' && !parameters.has('filename')
  return isField ? part + headEnd + HEAD_END.length : -1
}

function parametersOf(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = 0
  for (let found = PARAMETER.exec(text); found !== null; found = PARAMETER.exec(text)) {
    const [, name = '', quoted, plain = ''] = found
    parameters.set(name.toLowerCase(), quoted ?? plain)
  }
  return parameters
}
