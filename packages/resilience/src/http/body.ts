import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { CallOptions } from './call-options.ts'
import { type ResponseHeaders, ResponseTooLargeError, ResponseValidationError } from './errors.ts'
import { validate } from './validation.ts'

type Decode = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

/** Content codings (RFC 9110 §8.4.1) that a server may use where a call's `accept-encoding` asks for it. */
const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/** How much of a failed response's text is kept. */
const ERROR_TEXT_BYTES = 64 * 1024

/** A response that came whole. */
export interface WholeResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: Buffer
  readonly endpoint: string
}

/**
 * The body without its content coding.
 *
 * @throws ResponseTooLargeError when it would be larger than `maxBytes`.
 */
export async function decodedBody(response: WholeResponse, maxBytes: number): Promise<Buffer> {
  const { status, headers, body, endpoint } = response
  const coding = codingOf(headers)
  if (coding === '' || body.length === 0) return body
  const decode = decoders[coding]
  if (decode === undefined) {
    const issues = [{ path: '', message: 'its content-encoding is not known here' }]
    throw new ResponseValidationError(status, issues, { endpoint })
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes })
  } catch (cause) {
    if (isTooLarge(cause)) throw new ResponseTooLargeError(maxBytes, { endpoint, cause })
    const issues = [{ path: '', message: `its body is not ${coding}` }]
    throw new ResponseValidationError(status, issues, { endpoint, cause })
  }
}

/** The data in a body, as the call wants it; `null` for an empty one. */
export async function dataOf(
  response: WholeResponse,
  options: Pick<CallOptions, 'schema' | 'as'>,
): Promise<unknown> {
  const { schema } = options
  const form = options.as ?? (schema === undefined ? formOf(response.headers) : 'json')
  const data = form === 'json' ? parseJson(response) : plainData(response.body, form)
  if (schema === undefined) return data
  const result = await validate(schema, data)
  if ('value' in result) return result.value
  const { status, endpoint } = response
  throw new ResponseValidationError(status, result.issues, { endpoint })
}

/** The beginning of a failed response's body, as text as far as it is any. */
export async function errorText(headers: ResponseHeaders, body: Buffer): Promise<string> {
  const decode = decoders[codingOf(headers)]
  try {
    const plain = decode ? await decode(body, { maxOutputLength: 1024 * 1024 }) : body
    return plain.toString('utf8', 0, ERROR_TEXT_BYTES)
  } catch {
    return ''
  }
}

function parseJson({ status, headers, body, endpoint }: WholeResponse): unknown {
  if (body.length === 0) return null
  try {
    const text = body.toString('utf8')
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch {
    // The parser's own message quotes the body: it may hold what no log should.
    const type = String(headers['content-type'] ?? 'no content-type')
    const issues = [{ path: '', message: `its body is not JSON (${type.slice(0, 100)})` }]
    throw new ResponseValidationError(status, issues, { endpoint })
  }
}

function plainData(body: Buffer, form: 'text' | 'bytes'): string | Uint8Array | null {
  if (form === 'text') return body.toString('utf8')
  return body.length === 0 ? null : body
}

function formOf(headers: ResponseHeaders): 'json' | 'text' | 'bytes' {
  const header = headers['content-type']
  if (typeof header !== 'string') return 'bytes'
  if (header === 'application/json') return 'json'
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  return type.startsWith('text/') ? 'text' : 'bytes'
}

function codingOf(headers: ResponseHeaders): string {
  const coding = headers['content-encoding']
  if (coding === undefined) return ''
  const name = String(coding).trim().toLowerCase()
  return name === 'identity' ? '' : name
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
