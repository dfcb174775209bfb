import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { newRequestId } from '../exchange/request-id.ts'
import type { ServerError } from '../problems/errors.ts'
import type { Problems } from '../problems/problems.ts'

// A client that reads slowly still gets its answer; one that reads nothing is not waited for.
const LINGER_MS = 2000

/**
 * Answers on a bare connection, where no response object exists (yet), and closes it. What the client
 * still sends is read and thrown away meanwhile: a reset would take the answer with it.
 */
export function refuse(socket: Duplex, error: ServerError, render: Problems['render']): void {
  const requestId = newRequestId()
  const { status, headers, body } = render(error, { requestId, instance: '/' })
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  lines.push(
    `date: ${new Date().toUTCString()}`,
    `x-request-id: ${requestId}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  )
  socket.on('error', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
