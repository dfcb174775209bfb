import { describe, expect, it } from 'vitest'
import { connectRaw } from '../../net/raw-connection.ts'
import { type BsonDocument, decodeBson, encodeBson } from './bson.ts'
import { startMongoLookalike } from './mongodb.ts'

const opQuery = 2004
const opMsg = 2013

function framed(opCode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + body.length, 0)
  header.writeInt32LE(7, 4)
  header.writeInt32LE(opCode, 12)
  return Buffer.concat([header, body])
}

function command(document: BsonDocument): Buffer {
  return framed(opMsg, Buffer.concat([Buffer.alloc(5), encodeBson(document)]))
}

function legacyCommand(document: BsonDocument): Buffer {
  const paging = Buffer.alloc(8)
  paging.writeInt32LE(-1, 4)
  const collection = Buffer.from('admin.$cmd\0')
  return framed(opQuery, Buffer.concat([Buffer.alloc(4), collection, paging, encodeBson(document)]))
}

/** The document of the answer, after the header and `skip` bytes. */
async function ask(port: number, sent: Buffer, skip = 5): Promise<BsonDocument> {
  await using client = await connectRaw({ port })
  await client.write(sent)
  const bytes = await client.waitFor(
    (seen) => seen.length >= 4 && seen.length >= seen.readInt32LE(0),
  )
  expect(bytes.readInt32LE(8)).toBe(7)
  return decodeBson(bytes.subarray(16 + skip))
}

describe('startMongoLookalike', () => {
  it('greets in the form of today and in that with which drivers begin', async () => {
    await using mongo = await startMongoLookalike()
    const hello = await ask(mongo.port, command({ hello: 1, $db: 'admin' }))
    expect(hello).toMatchObject({ ok: 1, isWritablePrimary: true, maxWireVersion: 21 })
    expect(hello.localTime).toBeInstanceOf(Date)
    const older = await ask(mongo.port, legacyCommand({ ismaster: 1, helloOk: true }), 20)
    expect(older).toMatchObject({ ok: 1, ismaster: true })
    expect(await ask(mongo.port, command({ ping: 1 }))).toEqual({ ok: 1 })
    expect(await ask(mongo.port, command({ drop: 'tide' }))).toMatchObject({ ok: 0, code: 59 })
    expect(mongo.commands).toEqual(['hello', 'ismaster', 'ping', 'drop'])
  })

  it('fails, tells nonsense, keeps silent, goes away and comes back', async () => {
    await using mongo = await startMongoLookalike({ mode: 'error' })
    expect(await ask(mongo.port, command({ ping: 1 }))).toMatchObject({ ok: 0, code: 11_600 })
    await mongo.behave('wrong')
    await using misled = await connectRaw({ port: mongo.port })
    await misled.write(command({ ping: 1 }))
    await misled.waitFor('HTTP/1.1 400')
    await mongo.behave('deaf')
    await using ignored = await connectRaw({ port: mongo.port })
    await ignored.write(command({ ping: 1 }))
    await expect(ignored.waitFor('ok', 50)).rejects.toThrow('did not see')
    await mongo.behave('refuse')
    await expect(connectRaw({ port: mongo.port })).rejects.toThrow('ECONNREFUSED')
    await mongo.behave('up')
    expect(await ask(mongo.port, command({ ping: 1 }))).toEqual({ ok: 1 })
  })

  it('answers late when it is slow', async () => {
    await using mongo = await startMongoLookalike({ mode: 'slow', delayMs: 60 })
    const startedAt = performance.now()
    expect(await ask(mongo.port, command({ ping: 1 }))).toEqual({ ok: 1 })
    expect(performance.now() - startedAt).toBeGreaterThan(50)
  })

  it('hangs up on what is not its protocol', async () => {
    await using mongo = await startMongoLookalike()
    await using client = await connectRaw({ port: mongo.port })
    await client.write('GET / HTTP/1.1\r\nhost: mongo\r\n\r\n')
    await client.ended
  })
})

describe('decodeBson', () => {
  it('reads back what was written', () => {
    const document: BsonDocument = {
      text: 'high ✓',
      ...{ whole: 7, broken: 0.5, large: 2n ** 60n, yes: true, none: null },
      at: new Date(1_700_000_000_000),
      bytes: Buffer.from([0, 1, 2]),
      list: ['a', 1, [false]],
      inner: { deep: { value: -1 } },
    }
    expect(decodeBson(encodeBson(document))).toEqual(document)
  })

  it('refuses what is cut off', () => {
    expect(() => decodeBson(encodeBson({ ping: 1 }).subarray(0, 8))).toThrow(RangeError)
  })
})
