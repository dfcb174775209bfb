import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { CheckError } from '../../core/check.ts'
import { int32, type PlainDocument, readDocument, writeDocument } from './bson.ts'
import type { Member } from './connection-string.ts'

/** How a member is talked to. */
export interface HelloOptions {
  readonly tls: boolean
  readonly verify: boolean
  /** Certificates of authorities to trust in place of the system's. */
  readonly ca: string | undefined
  readonly loadBalanced: boolean
}

const OP_MSG = 2013
const HEADER_BYTES = 16
/** Flags and the kind of the section. */
const PREFIX_BYTES = 5
const MAX_BYTES = 1_048_576
const REQUEST_ID = 1

/** Connects to a member, says hello in its own protocol (OP_MSG), and gives what it answers. */
export async function hello(
  member: Member,
  options: HelloOptions,
  signal: AbortSignal,
): Promise<PlainDocument> {
  signal.throwIfAborted()
  const socket = open(member, options)
  const answer = Promise.withResolvers<PlainDocument>()
  const abort = (): void => answer.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  let received: Buffer = Buffer.alloc(0)
  socket.on('error', answer.reject)
  socket.on('close', () => answer.reject(closedEarly(options)))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    try {
      const document = readReply(received)
      if (document !== undefined) answer.resolve(document)
    } catch (error) {
      answer.reject(error)
    }
  })
  socket.write(question(options))
  try {
    return await answer.promise
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}

function open(member: Member, { tls, verify, ca }: HelloOptions): Socket {
  if (!tls) return connect(member)
  const servername = 'host' in member && !/^[\d.]+$|:/.test(member.host) ? member.host : undefined
  return connectTls({
    ...member,
    rejectUnauthorized: verify,
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca }),
  })
}

function question({ loadBalanced }: HelloOptions): Buffer {
  const document = writeDocument({
    hello: 1,
    ...(loadBalanced && { loadBalanced: true as const }),
    $db: 'admin',
  })
  const length = HEADER_BYTES + PREFIX_BYTES + document.length
  const header = [length, REQUEST_ID, 0, OP_MSG, 0].map(int32)
  return Buffer.concat([...header, Buffer.of(0), document])
}

/** The answer's document, as soon as all of it is there. */
function readReply(bytes: Buffer): PlainDocument | undefined {
  if (bytes.length >= 4 && !isLength(bytes.readInt32LE(0))) throw notMongo()
  if (bytes.length < HEADER_BYTES) return undefined
  const length = bytes.readInt32LE(0)
  if (bytes.readInt32LE(8) !== REQUEST_ID || bytes.readInt32LE(12) !== OP_MSG) throw notMongo()
  if (bytes.length < length) return undefined
  if (bytes[HEADER_BYTES + PREFIX_BYTES - 1] !== 0) throw notMongo()
  try {
    return readDocument(bytes.subarray(HEADER_BYTES + PREFIX_BYTES, length))
  } catch {
    throw notMongo()
  }
}

function isLength(length: number): boolean {
  return length > HEADER_BYTES + PREFIX_BYTES && length <= MAX_BYTES
}

function notMongo(): CheckError {
  return new CheckError(
    'wrong_protocol',
    'What answers there is no MongoDB: see the host and port.',
  )
}

function closedEarly({ tls }: HelloOptions): CheckError {
  const message = tls
    ? 'The connection was closed without an answer: see whether the server wants TLS.'
    : 'The connection was closed without an answer: the server may want TLS (tls=true).'
  return new CheckError('closed', message)
}
