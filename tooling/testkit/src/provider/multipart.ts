/** One part of a `multipart/form-data` body (RFC 7578). */
export interface MultipartPart {
  readonly name: string
  readonly filename: string | undefined
  readonly body: Buffer
}

function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(
    contentType ?? '',
  )
  return match?.[1] ?? match?.[2]
}

function parsePart(bytes: Buffer): MultipartPart | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const head = bytes.toString('utf8', 0, headEnd)
  const name = /\bname="([^"]*)"/i.exec(head)?.[1]
  if (name === undefined) return null
  const filename = /\bfilename="([^"]*)"/i.exec(head)?.[1]
  return { name, filename, body: bytes.subarray(headEnd + 4) }
}

/** The parts of a body; none when it isn't multipart or not whole. */
export function parseMultipart(body: Buffer, contentType: string | undefined): MultipartPart[] {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return []
  // With a line break in front, the first delimiter is like all others.
  const bytes = Buffer.concat([Buffer.from('\r\n'), body])
  const delimiter = `\r\n--${boundary}`
  const parts: MultipartPart[] = []
  let start = bytes.indexOf(delimiter)
  for (;;) {
    const end = bytes.indexOf(delimiter, start + delimiter.length)
    if (start < 0 || end < 0) return parts
    const part = parsePart(bytes.subarray(start + delimiter.length + 2, end))
    if (part !== null) parts.push(part)
    start = end
  }
}
