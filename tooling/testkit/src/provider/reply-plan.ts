import { once } from 'node:events'
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib'
import type { Behaviour, Fault } from './behaviour.ts'
import { encodeEvent, encodeEvents } from './event-stream.ts'
import type { HeaderFields, Reply, ReplyBody, StreamEvent } from './reply.ts'

/** A reply ready to be written: its headers, and its body event by event. */
export interface ReplyPlan {
  readonly fields: HeaderFields
  readonly pieces: readonly Buffer[]
}

const compressors = { gzip: createGzip, br: createBrotliCompress, deflate: createDeflate }

/** Compresses piece by piece with a flush after each, so that none has to wait for the next. */
async function compress(
  pieces: readonly Buffer[],
  encoding: keyof typeof compressors,
): Promise<Buffer[]> {
  const compressor = compressors[encoding]()
  const flush = encoding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH
  let pending: Buffer[] = []
  compressor.on('data', (chunk: Buffer) => pending.push(chunk))
  const take = () => {
    const bytes = Buffer.concat(pending)
    pending = []
    return bytes
  }
  const compressed: Buffer[] = []
  for (const piece of pieces) {
    compressor.write(piece)
    await new Promise<void>((resolve) => compressor.flush(flush, () => resolve()))
    compressed.push(take())
  }
  compressor.end()
  await once(compressor, 'end')
  const last = compressed.pop() ?? Buffer.alloc(0)
  return [...compressed, Buffer.concat([last, take()])]
}

function takeBytes(pieces: readonly Buffer[], limit: number): Buffer[] {
  const taken: Buffer[] = []
  let left = limit
  for (const piece of pieces) {
    if (left <= 0) break
    taken.push(piece.subarray(0, left))
    left -= piece.length
  }
  return taken
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function truncate(
  pieces: readonly Buffer[],
  fault: Fault,
  events: readonly StreamEvent[],
): Buffer[] {
  const { at } = fault
  if (at === 'before-headers' || at === 'after-headers') return []
  if (at !== undefined && 'events' in at) return pieces.slice(0, at.events)
  if (at !== undefined) return takeBytes(pieces, at.bytes)
  if (events.length === 0) return takeBytes(pieces, Math.floor(sizeOf(pieces) / 2))
  return pieces.slice(0, events.findLastIndex((event) => event.part === 'content') + 1)
}

function eventsOf(body: ReplyBody, behaviour: Behaviour): readonly StreamEvent[] {
  if (body.kind !== 'events') return []
  return behaviour.omitDone ? body.events.filter((event) => event.part !== 'done') : body.events
}

function encodeBody(
  body: ReplyBody,
  events: readonly StreamEvent[],
  behaviour: Behaviour,
): Buffer[] {
  if (body.kind === 'empty') return []
  return body.kind === 'bytes' ? [body.bytes] : encodeEvents(events, behaviour)
}

function contentType(body: ReplyBody): HeaderFields {
  if (body.kind === 'empty') return []
  if (body.kind === 'bytes') return [['content-type', body.contentType]]
  return [
    ['content-type', 'text/event-stream; charset=utf-8'],
    ['cache-control', 'no-cache'],
  ]
}

/** Turns a reply into headers and writes; a fault leaves out what comes after it. */
export async function planBody(reply: Reply, behaviour: Behaviour): Promise<ReplyPlan> {
  const { body } = reply
  const { fault, encoding, framing = body.kind === 'events' ? 'chunked' : 'length' } = behaviour
  const events = eventsOf(body, behaviour)
  const plain = encodeBody(body, events, behaviour)
  const good = encoding === undefined ? plain : await compress(plain, encoding)
  const pieces = fault === undefined ? good : truncate(good, fault, events)
  if (fault?.kind === 'error-event' && body.kind === 'events') {
    pieces.push(encodeEvent(body.error, behaviour.lineEnd))
  }
  const fields = [...reply.headers, ...contentType(body)]
  if (encoding !== undefined) fields.push(['content-encoding', encoding])
  if (framing === 'length' && body.kind !== 'empty') {
    const orderly = fault?.kind === 'stop' || fault?.kind === 'error-event'
    fields.push(['content-length', String(sizeOf(orderly ? pieces : good))])
  }
  return { fields, pieces }
}
