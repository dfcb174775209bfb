import { type BsonDocument, decodeBson, encodeBson } from './bson.ts'

const headerBytes = 16
const maxBytes = 1024 * 1024
const opReply = 1
const opQuery = 2004
const opMsg = 2013

/** A command as a client sent it, and how its answer has to be framed. */
export interface MongoCommand {
  readonly document: BsonDocument
  readonly reply: (answer: BsonDocument) => Buffer
}

function header(length: number, responseTo: number, opCode: number): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  bytes.writeInt32LE(headerBytes + length, 0)
  bytes.writeInt32LE(responseTo, 8)
  bytes.writeInt32LE(opCode, 12)
  return bytes
}

/** Flags and one section of kind 0: a document. */
function message(responseTo: number, answer: BsonDocument): Buffer {
  const body = Buffer.concat([Buffer.alloc(5), encodeBson(answer)])
  return Buffer.concat([header(body.length, responseTo, opMsg), body])
}

/** The older form, in which drivers still begin a handshake: flags, cursor, offset, one document. */
function legacyReply(responseTo: number, answer: BsonDocument): Buffer {
  const preamble = Buffer.alloc(20)
  preamble.writeInt32LE(8, 0)
  preamble.writeInt32LE(1, 16)
  const body = Buffer.concat([preamble, encodeBson(answer)])
  return Buffer.concat([header(body.length, responseTo, opReply), body])
}

function parse(bytes: Buffer): MongoCommand {
  const id = bytes.readInt32LE(4)
  const opCode = bytes.readInt32LE(12)
  if (opCode === opMsg && bytes[headerBytes + 4] === 0) {
    const document = decodeBson(bytes.subarray(headerBytes + 5))
    return { document, reply: (answer) => message(id, answer) }
  }
  if (opCode === opQuery) {
    const collectionEnd = bytes.indexOf(0, headerBytes + 4)
    const document = decodeBson(bytes.subarray(collectionEnd + 9))
    return { document, reply: (answer) => legacyReply(id, answer) }
  }
  throw new RangeError(`operation ${opCode} is not spoken here`)
}

/** Cuts a connection's bytes into commands; throws a `RangeError` on what is not MongoDB's protocol. */
export function createCommandReader(): (chunk: Buffer) => readonly MongoCommand[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const commands: MongoCommand[] = []
    while (rest.length >= headerBytes) {
      const length = rest.readInt32LE(0)
      if (length < headerBytes || length > maxBytes) throw new RangeError('not a MongoDB message')
      if (rest.length < length) break
      commands.push(parse(rest.subarray(0, length)))
      rest = rest.subarray(length)
    }
    return commands
  }
}
