import type { MiddlewareHandler } from 'hono'
import { incomingOf, requestHeader } from '../exchange/connection.ts'
import { ServerError } from '../problems/errors.ts'

/** How large a request's body may be. */
export interface BodyLimitOptions {
  readonly maxBytes: number
}

/**
 * Refuses bodies over a size: before reading when `content-length` says so, else as soon as that many
 * bytes have come. The body isn't held in memory by it. For handlers that read through Hono; whoever
 * forwards Node's request as a stream counts there.
 *
 * @throws ServerError `payload_too_large`
 */
export function bodyLimit({ maxBytes }: BodyLimitOptions): MiddlewareHandler {
  return async (c, next) => {
    const declared = requestHeader(c, 'content-length')
    if (declared !== undefined && Number(declared) > maxBytes) throw tooLarge(maxBytes)
    // Node's parser holds a client to the length it declared: only chunked bodies need counting.
    const onNode = incomingOf(c) !== undefined
    if (onNode && requestHeader(c, 'transfer-encoding') === undefined) return next()
    const { body } = c.req.raw
    if (body === null) return next()
    const counter = countingStream(maxBytes)
    const init = { body: body.pipeThrough(counter.stream), duplex: 'half' as const }
    c.req.raw = new Request(c.req.raw, init)
    await next()
    // A handler may have taken the broken body for bad input: the truth comes first.
    if (counter.exceeded()) throw tooLarge(maxBytes)
  }
}

/** The refusal of a body over the limit. */
function tooLarge(maxBytes: number): ServerError {
  const message = `The body is larger than the ${maxBytes} bytes that are allowed.`
  return new ServerError('payload_too_large', message, { facts: { maxBytes } })
}

interface Counter {
  readonly stream: TransformStream<Uint8Array, Uint8Array>
  readonly exceeded: () => boolean
}

function countingStream(maxBytes: number): Counter {
  let bytes = 0
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) controller.error(tooLarge(maxBytes))
      else controller.enqueue(chunk)
    },
  })
  return { stream, exceeded: () => bytes > maxBytes }
}
