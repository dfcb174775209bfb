import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { GatewayEnv } from './env.ts'
import { NodeRequest } from './node-request.ts'
import type { GatewayRequest } from './request.ts'

/** How long, and how much, is read of a body that nobody wanted, so that its sender reads our answer. */
const DRAIN_MS = 500
const DRAIN_BYTES = 64 * 1024 * 1024

/** A Hono app's `fetch`. */
type Fetch = (request: Request, env: GatewayEnv['Bindings']) => Response | Promise<Response>

/**
 * Puts an app behind Node's server. Nearly every answer is written by its handler: so of the Web's
 * request only that is made which somebody asks for, and an answer that is sent already is let go.
 */
export function nodeApp(
  fetch: Fetch,
): (incoming: GatewayRequest, outgoing: ServerResponse) => Promise<void> {
  return async (incoming, outgoing) => {
    try {
      const request = new NodeRequest(incoming, outgoing) as unknown as Request
      const response = await fetch(request, { incoming, outgoing })
      if (!isSent(response, outgoing)) await send(response, outgoing)
    } catch {
      // The app makes a response of every error but those of making it, and of its body.
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end()
    }
    if (incoming.complete) return
    if (outgoing.closed) drain(incoming)
    else outgoing.once('close', () => drain(incoming))
  }
}

function isSent(response: Response, outgoing: ServerResponse): boolean {
  if (outgoing.headersSent || response === RESPONSE_ALREADY_SENT) return true
  // For HEAD, Hono makes a new response of the mark.
  return response.headers.has('x-hono-already-sent')
}

/** Writes a response chunk by chunk, as fast as the client takes it. */
async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  const { status, body } = response
  const headers = [...response.headers].flat()
  if (body === null) {
    outgoing.writeHead(status, headers).end()
    return
  }
  const reader = body.getReader()
  const closed = new Promise<void>((resolve) => {
    if (outgoing.closed) resolve()
    else outgoing.once('close', resolve)
  })
  closed.then(() => reader.cancel()).catch(() => {})
  // A body may also break while a client that takes nothing is waited for: then nothing else would tell.
  reader.closed.catch(() => {
    if (outgoing.headersSent) outgoing.destroy()
  })
  let next = reader.read()
  const first = await readyNow(next)
  if (first?.done === false) next = reader.read()
  // What was made in memory is all there, and needs no chunks.
  const whole = first?.done === true || (await readyNow(next))?.done === true
  if (whole && !response.headers.has('content-length')) {
    headers.push('content-length', String(first?.value?.length ?? 0))
  }
  outgoing.writeHead(status, headers)
  if (first?.value === undefined) outgoing.flushHeaders()
  else outgoing.write(first.value)
  for (let chunk = await next; !chunk.done; chunk = await reader.read()) {
    if (outgoing.write(chunk.value)) continue
    await Promise.race([closed, new Promise((resolve) => outgoing.once('drain', resolve))])
  }
  outgoing.end()
}

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>

function readyNow(read: Promise<Read>): Promise<Read | undefined> {
  return Promise.race([read, nextTurn(undefined)])
}

/** Takes in what is left of a body, as its sender may have ears only when it is done; but not for ever. */
function drain(incoming: GatewayRequest): void {
  if (incoming.complete || incoming.destroyed) return
  const giveUp = (): void => incoming.socket.destroySoon()
  const timer = setTimeout(giveUp, DRAIN_MS).unref()
  let left = DRAIN_BYTES
  incoming.once('close', () => clearTimeout(timer))
  incoming.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) giveUp()
  })
  incoming.resume()
}
