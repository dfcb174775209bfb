import type { IncomingHttpHeaders } from 'node:http'
import type { Outlet } from '../answers/outlet.ts'

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

/** An RST where the connection has one: no reader can take what came for the whole. */
export function reset(outgoing: Outlet): void {
  const { socket } = outgoing
  if (socket === null) outgoing.destroy()
  else if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
