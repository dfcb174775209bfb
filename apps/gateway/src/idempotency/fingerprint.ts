import { createHash, type Hash } from 'node:crypto'

/** What makes a request the same as an earlier one with its key. */
export interface KeyedRequest {
  readonly method: string
  /** Normalised, with the query as it came. */
  readonly path: string
  readonly query: string
  readonly contentType: string | undefined
  /** On what it depends, and which part it asks for. */
  readonly conditions: readonly (string | undefined)[]
  readonly body: Buffer
}

const MULTIPART = /^multipart\//i

/** The boundary's characters: RFC 2046 §5.1.1. */
const BOUNDARY = /;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+,./:=?-]{1,70}))/i

/**
 * Tells whether two requests are the same: the SHA-256 of all there is to tell, byte for byte. Whoever
 * repeats a request sends its bytes again; a body that only means the same is another request. The one
 * exception is a multipart boundary, which clients draw anew for each try.
 */
export function fingerprintOf(request: KeyedRequest): string {
  const { method, path, query, contentType, conditions, body } = request
  const hash = createHash('sha256')
  add(hash, method)
  add(hash, path)
  add(hash, query)
  add(hash, JSON.stringify(conditions))
  const boundary = boundaryOf(contentType)
  if (boundary === undefined || contentType === undefined) {
    add(hash, contentType ?? '')
    add(hash, body)
  } else {
    add(hash, contentType.replace(BOUNDARY, ''))
    for (const part of partsOf(body, `--${boundary}`)) add(hash, part)
  }
  return hash.digest('base64url')
}

function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !MULTIPART.test(contentType)) return undefined
  const found = BOUNDARY.exec(contentType)
  return found?.[1] ?? found?.[2]
}

/** What lies between the boundaries, before the first and behind the last. */
function* partsOf(body: Buffer, delimiter: string): Generator<Buffer> {
  let from = 0
  for (;;) {
    const at = body.indexOf(delimiter, from)
    if (at === -1) break
    yield body.subarray(from, at)
    from = at + delimiter.length
  }
  yield body.subarray(from)
}

/** With its length in front, so that no two lists of parts are the same bytes. */
function add(hash: Hash, part: string | Buffer): void {
  const length = typeof part === 'string' ? Buffer.byteLength(part) : part.length
  hash.update(`${length}:`).update(part)
}
