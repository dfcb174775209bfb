import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour } from './behaviour.ts'
import { cutPiece } from './event-stream.ts'
import type { RecordedRequest } from './recorded-request.ts'
import type { HeaderFields, Reply } from './reply.ts'
import { planBody } from './reply-plan.ts'

/** One request with the means to answer it. */
export interface Exchange {
  readonly request: RecordedRequest
  readonly response: ServerResponse
  readonly socket: Socket
}

async function pause(exchange: Exchange, ms: number | undefined): Promise<void> {
  if (ms === undefined || ms <= 0) return
  await sleep(ms, undefined, { signal: exchange.request.over }).catch(() => undefined)
}

/** Waits for what a test controls, but not longer than the exchange lasts. */
async function gate(exchange: Exchange, wait: Promise<unknown> | undefined): Promise<void> {
  const { over } = exchange.request
  if (wait === undefined || over.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  over.addEventListener('abort', stop, { once: true })
  await Promise.race([wait, promise])
  over.removeEventListener('abort', stop)
}

function cutConnection(exchange: Exchange, how: 'close' | 'reset'): void {
  exchange.request.cutByProvider = true
  // Only a plain TCP socket can be reset; over TLS an abrupt end is the nearest thing.
  if (how === 'reset' && !('encrypted' in exchange.socket)) exchange.socket.resetAndDestroy()
  else exchange.socket.destroy()
}

async function write(exchange: Exchange, bytes: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  exchange.response.write(bytes, (error) => {
    if (!error) exchange.request.bytesSent += bytes.length
    resolve()
  })
  await gate(exchange, promise)
}

function overlay(fields: HeaderFields, changes: Behaviour['headers'] = {}): string[] {
  const changed = new Set(Object.keys(changes).map((name) => name.toLowerCase()))
  const kept = fields.filter(([name]) => !changed.has(name.toLowerCase()))
  const added = Object.entries(changes).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as const),
  )
  return [...kept, ...added].flat()
}

function writeHead(
  { response }: Exchange,
  reply: Reply,
  fields: HeaderFields,
  behaviour: Behaviour,
): void {
  if (behaviour.earlyHints !== undefined) {
    response.writeEarlyHints({ link: [behaviour.earlyHints].flat() })
  }
  if (behaviour.framing === 'close') {
    response.shouldKeepAlive = false
    response.useChunkedEncodingByDefault = false
  }
  const announced = Object.keys(behaviour.trailers ?? {}).map((name) => ['trailer', name] as const)
  const status = behaviour.status ?? reply.status
  response.writeHead(status, overlay([...fields, ...announced], behaviour.headers))
  response.flushHeaders()
}

async function writePieces(
  exchange: Exchange,
  pieces: readonly Buffer[],
  behaviour: Behaviour,
): Promise<void> {
  const whole = behaviour.cut === 'whole' ? [Buffer.concat(pieces)] : pieces
  for (const [index, piece] of whole.entries()) {
    if (index > 0) await pause(exchange, behaviour.eventDelayMs)
    await gate(exchange, behaviour.beforeEvent?.(index))
    for (const [part, bytes] of cutPiece(piece, behaviour.cut).entries()) {
      if (part > 0) await pause(exchange, behaviour.writeDelayMs)
      if (exchange.request.over.aborted) return
      await write(exchange, bytes)
    }
  }
}

async function strike(exchange: Exchange, behaviour: Behaviour): Promise<void> {
  const kind = behaviour.fault?.kind
  if (kind === 'reset' || kind === 'close') cutConnection(exchange, kind)
  else if (kind !== 'stall') await finish(exchange, behaviour)
}

async function finish({ response, request }: Exchange, behaviour: Behaviour): Promise<void> {
  if (request.over.aborted) return
  if (behaviour.trailers !== undefined) response.addTrailers({ ...behaviour.trailers })
  response.end()
}

/** Sends exact bytes in place of a reply. */
export async function deliverRaw(exchange: Exchange, behaviour: Behaviour): Promise<void> {
  await pause(exchange, behaviour.delayMs)
  await gate(exchange, behaviour.beforeHeaders?.())
  const { promise, resolve } = Promise.withResolvers<void>()
  exchange.socket.write(behaviour.raw ?? '', () => resolve())
  await gate(exchange, promise)
  const { rawThen = 'close' } = behaviour
  exchange.request.cutByProvider = rawThen !== 'keep-open'
  if (rawThen === 'close') exchange.socket.end()
  if (rawThen === 'reset') cutConnection(exchange, 'reset')
}

/** Sends a reply as the behaviour wants it: delayed, cut, compressed, or broken. */
export async function deliver(
  exchange: Exchange,
  reply: Reply,
  behaviour: Behaviour,
): Promise<void> {
  await pause(exchange, behaviour.delayMs)
  await gate(exchange, behaviour.beforeHeaders?.())
  if (exchange.request.over.aborted) return
  if (behaviour.fault?.at === 'before-headers') return await strike(exchange, behaviour)
  const plan = await planBody(reply, behaviour)
  writeHead(exchange, reply, plan.fields, behaviour)
  await pause(exchange, behaviour.bodyDelayMs)
  if (exchange.request.method !== 'HEAD') await writePieces(exchange, plan.pieces, behaviour)
  await strike(exchange, behaviour)
}
