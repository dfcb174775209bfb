import type { IncomingHttpHeaders, ServerResponse } from 'node:http'

/** Only an uncompressed event stream can be read, and so kept whole, on its way through. */
export function isReadableEventStream(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-type']?.startsWith('text/event-stream') === true &&
    (headers['content-encoding'] ?? 'identity') === 'identity'
  )
}

/** Whether a body can be looked at as JSON on its way through. */
export function isReadableJson(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-type']?.startsWith('application/json') === true &&
    (headers['content-encoding'] ?? 'identity') === 'identity'
  )
}

const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d])
const CURLY_END = 0x7d
const SQUARE_END = 0x5d
const CURLY = 0x7b
const SQUARE = 0x5b

/** Whether what begins as an object or a list ends as one. */
export function endsLikeJson(body: Buffer): boolean {
  let end = body.length - 1
  while (SPACES.has(body[end])) end -= 1
  const first = body[0]
  if (first === CURLY) return body[end] === CURLY_END
  return first !== SQUARE || body[end] === SQUARE_END
}

/** An RST where the connection has one: no reader can take what came for the whole. */
export function reset(outgoing: ServerResponse): void {
  const { socket } = outgoing
  if (socket === null) outgoing.destroy()
  else if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
