import { Binary, Decimal128, deserialize, Long, ObjectId, serialize, Timestamp } from 'bson'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDocument, writeDocument } from './bson.ts'

describe('readDocument', () => {
  it('reads what is plain, past values of every other kind', () => {
    const bytes = serialize(
      {
        ...{ before: 1.5, id: new ObjectId(), list: ['a', { b: 1 }], when: new Date(0) },
        ...{ nothing: null, pattern: /a.c/gi, bytes: new Binary(Buffer.of(1, 2)) },
        ...{ at: new Timestamp({ t: 1, i: 2 }), exact: Decimal128.fromString('1.5') },
        ...{ code: () => 1, long: Long.fromNumber(2 ** 40), yes: true, no: false },
        ...{ text: 'été', count: 7 },
      },
      { serializeFunctions: true },
    )
    expect(Object.fromEntries(readDocument(Buffer.from(bytes)))).toEqual({
      ...{ before: 1.5, long: 2 ** 40, yes: true, no: false, text: 'été', count: 7 },
    })
  })

  it('reads what any document has', () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.boolean(), fc.string())
    const name = fc.string({ minLength: 1 }).filter((text) => !/\0|^__proto__$/.test(text))
    fc.assert(
      fc.property(fc.dictionary(name, value), (document) => {
        const read = readDocument(Buffer.from(serialize({ ...document })))
        expect(read.size).toBe(Object.keys(document).length)
        for (const [key, said] of read) expect(said).toEqual(document[key])
      }),
    )
  })

  it('ends on any bytes, with a document or a RangeError', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.boolean(), (random, framed) => {
        const inside = Buffer.from(random)
        const head = Buffer.alloc(4)
        head.writeInt32LE(inside.length + 5)
        const given = framed ? Buffer.concat([head, inside, Buffer.of(0)]) : inside
        try {
          readDocument(given)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('writeDocument', () => {
  it('writes what others read', () => {
    const document = { hello: 1, loadBalanced: true as const, $db: 'admin' }
    expect(deserialize(writeDocument(document))).toEqual(document)
  })
})
