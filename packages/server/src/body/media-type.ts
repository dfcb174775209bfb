import { ServerError } from '../problems/errors.ts'

/** What a `content-type` header says. */
export interface MediaType {
  /** Lower case, without parameters; `''` when there is none. */
  readonly name: string
  /** Lower case, if one was given. */
  readonly charset: string | undefined
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)"?/i

/** Reads a `content-type` header. */
export function parseMediaType(header: string | undefined): MediaType {
  const [name = ''] = (header ?? '').split(';', 1)
  const charset = header === undefined ? undefined : CHARSET.exec(header)?.[1]
  return { name: name.trim().toLowerCase(), charset: charset?.toLowerCase() }
}

/** True for `application/json` and everything that ends in `+json`. */
export function isJson(name: string): boolean {
  return name === 'application/json' || name.endsWith('+json')
}

/** True when a pattern (a media type, `image/*`, or a star on both sides) covers the name. */
export function coversMediaType(pattern: string, name: string): boolean {
  if (pattern === '*/*') return name !== ''
  if (pattern.endsWith('/*')) return name.startsWith(pattern.slice(0, -1))
  return pattern === name
}

/** The refusal of a body in a media type nobody asked for. */
export function unsupported(header: string | undefined, supported: readonly string[]): ServerError {
  const sent =
    header === undefined || header.trim() === ''
      ? 'There is no content-type'
      : `The content-type is "${header.slice(0, 100)}"`
  const message = `${sent}; supported: ${supported.join(', ')}.`
  return new ServerError('unsupported_media_type', message, {
    param: 'content-type',
    facts: { supported },
  })
}

/** The fault of a JSON body's content type, if it has one: JSON is UTF-8 (RFC 8259, 8.1). */
export function faultOfJsonType(header: string | undefined): ServerError | undefined {
  const { name, charset } = parseMediaType(header)
  if (!isJson(name)) return unsupported(header, ['application/json'])
  if (
    charset === undefined ||
    charset === 'utf-8' ||
    charset === 'utf8' ||
    charset === 'us-ascii'
  ) {
    return undefined
  }
  return unsupported(header, ['application/json; charset=utf-8'])
}
