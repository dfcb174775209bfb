/** How a message says where its body ends. `none`: the status or method allows no body. */
type Framing = 'none' | 'length' | 'chunked' | 'close'

/** One HTTP/1.1 message as it stood on the wire. */
export interface HttpMessage {
  readonly startLine: string
  /** Names and values in order, in their original case, duplicates kept. */
  readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>
  /** All values of each name, by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly framing: Framing
  /** The body without its framing, as far as it came. */
  readonly body: Buffer
  /** The payload of each chunk of a chunked body; empty for other framings. */
  readonly chunks: readonly Buffer[]
  readonly trailers: ReadonlyArray<readonly [name: string, value: string]>
  /** Whether the message ended where its framing said. */
  readonly complete: boolean
  /** How many bytes of the input it occupies. */
  readonly length: number
}

interface BodyPart {
  readonly body: Buffer
  readonly chunks: readonly Buffer[]
  readonly trailers: ReadonlyArray<readonly [string, string]>
  readonly complete: boolean
  readonly length: number
}

interface ReadOptions {
  /** The sender has closed: nothing more will come. */
  readonly closed: boolean
  /** Framing when no header tells: a request has no body, a response lasts until the close. */
  readonly unframed: 'none' | 'close'
  /** The start line decides that there is no body, whatever the headers say. */
  readonly isBodyless?: (startLine: string) => boolean
}

const headEnd = '\r\n\r\n'

function parseFields(lines: readonly string[]): ReadonlyArray<readonly [string, string]> {
  return lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()] as const
  })
}

function byLowerCaseName(
  fields: ReadonlyArray<readonly [string, string]>,
): ReadonlyMap<string, readonly string[]> {
  const grouped = new Map<string, string[]>()
  for (const [name, value] of fields) {
    const key = name.toLowerCase()
    grouped.set(key, [...(grouped.get(key) ?? []), value])
  }
  return grouped
}

function readChunked(bytes: Buffer): BodyPart {
  const chunks: Buffer[] = []
  let offset = 0
  const result = (complete: boolean, length: number, fields: readonly string[] = []): BodyPart => ({
    body: Buffer.concat(chunks),
    chunks,
    trailers: parseFields(fields),
    complete,
    length,
  })
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', offset)
    if (lineEnd < 0) return result(false, bytes.length)
    const size = Number.parseInt(bytes.toString('latin1', offset, lineEnd), 16)
    if (Number.isNaN(size)) return result(false, bytes.length)
    if (size === 0) {
      // With no trailer the line's own CRLF is the first half of the blank line.
      const end = bytes.indexOf(headEnd, lineEnd)
      if (end < 0) return result(false, bytes.length)
      const trailerText = bytes.toString('latin1', lineEnd + 2, Math.max(end, lineEnd + 2))
      return result(true, end + headEnd.length, trailerText.split('\r\n').filter(Boolean))
    }
    const start = lineEnd + 2
    chunks.push(bytes.subarray(start, Math.min(start + size, bytes.length)))
    offset = start + size + 2
    if (offset > bytes.length) return result(false, bytes.length)
  }
}

function readUnchunked(bytes: Buffer, length: number, complete: boolean): BodyPart {
  return { body: bytes.subarray(0, length), chunks: [], trailers: [], complete, length }
}

function readBody(bytes: Buffer, framing: Framing, announced: number, closed: boolean): BodyPart {
  if (framing === 'chunked') return readChunked(bytes)
  if (framing === 'none') return readUnchunked(bytes, 0, true)
  if (framing === 'close') return readUnchunked(bytes, bytes.length, closed)
  return readUnchunked(bytes, Math.min(announced, bytes.length), bytes.length >= announced)
}

/** Reads one message from the start of `bytes`; `null` while its head is not complete. */
function readMessage(bytes: Buffer, options: ReadOptions): HttpMessage | null {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return null
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const rawHeaders = parseFields(lines)
  const headers = byLowerCaseName(rawHeaders)
  const announced = headers.get('content-length')?.[0]
  const chunked = headers.get('transfer-encoding')?.at(-1)?.toLowerCase().endsWith('chunked')
  const framing: Framing = options.isBodyless?.(startLine)
    ? 'none'
    : chunked
      ? 'chunked'
      : announced === undefined
        ? options.unframed
        : 'length'
  const bodyStart = end + headEnd.length
  const part = readBody(bytes.subarray(bodyStart), framing, Number(announced), options.closed)
  return { startLine, rawHeaders, headers, framing, ...part, length: bodyStart + part.length }
}

/** Reads the requests that `bytes` holds one after the other; the last one may be incomplete. */
export function parseRequests(bytes: Buffer): HttpMessage[] {
  const messages: HttpMessage[] = []
  let rest = bytes
  for (;;) {
    const message = readMessage(rest, { closed: false, unframed: 'none' })
    if (message === null) return messages
    messages.push(message)
    rest = rest.subarray(message.length)
    if (!message.complete) return messages
  }
}

/** A response with the informational ones (1xx) that came before it. */
export interface HttpResponseMessage extends HttpMessage {
  readonly status: number
  readonly reason: string
  readonly informational: readonly HttpMessage[]
  /** The first value of a header, by name in any case. */
  readonly header: (name: string) => string | undefined
}

const statusOf = (startLine: string): number => Number(startLine.split(' ', 2)[1])

/**
 * Reads the final responses that `bytes` holds one after the other.
 *
 * @param options.closed the server has closed, so a body without framing is complete
 * @param options.head the requests were HEAD: no response has a body
 */
export function parseResponses(
  bytes: Buffer,
  options: { readonly closed: boolean; readonly head?: boolean },
): HttpResponseMessage[] {
  const responses: HttpResponseMessage[] = []
  let informational: HttpMessage[] = []
  let rest = bytes
  const isBodyless = (startLine: string): boolean => {
    const status = statusOf(startLine)
    return options.head === true || status < 200 || status === 204 || status === 304
  }
  for (;;) {
    const message = readMessage(rest, { closed: options.closed, unframed: 'close', isBodyless })
    if (message === null) return responses
    const status = statusOf(message.startLine)
    rest = rest.subarray(message.length)
    if (status < 200 && status !== 101) {
      informational.push(message)
      continue
    }
    responses.push({
      ...message,
      status,
      reason: message.startLine.split(' ').slice(2).join(' '),
      informational,
      header: (name) => message.headers.get(name.toLowerCase())?.[0],
    })
    informational = []
    // After an upgrade the bytes belong to another protocol.
    if (!message.complete || status === 101) return responses
  }
}
