import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Envelope, type EnvelopeOptions, readEnvelopeHead, ValueTooLarge } from './envelope.ts'
import { jsonSerializer, structuredSerializer } from './serializer.ts'

const head = { createdAt: 1, freshUntil: 2, staleUntil: 3, seq: 2 ** 52 + 1, tags: undefined }

function envelope(more: Partial<EnvelopeOptions> = {}): Envelope {
  return new Envelope({
    serializer: jsonSerializer,
    compressAbove: false,
    maxValueBytes: 1_000_000,
    ...more,
  })
}

describe('Envelope', () => {
  it('gives back what was put in', () => {
    const values = fc.oneof(fc.jsonValue(), fc.uint8Array())
    const tags = fc.option(fc.array(fc.string(), { minLength: 1 }), { nil: undefined })
    const numbers = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat())
    const compress = fc.constantFrom<number | false>(false, 0, 20)
    fc.assert(
      fc.property(values, tags, numbers, compress, (value, tags, numbers, compressAbove) => {
        const [createdAt, freshUntil, staleUntil, seq] = numbers
        const entry = { value, createdAt, freshUntil, staleUntil, seq, tags }
        const decoded = envelope({ compressAbove }).decode(
          envelope({ compressAbove }).encode(entry),
        )
        const plain = value instanceof Uint8Array ? value : JSON.parse(JSON.stringify(value))
        expect(decoded).toEqual({ ...entry, value: plain })
      }),
    )
  })

  it('takes whatever it is given for nothing, or for something whole', () => {
    const bytes = envelope({ compressAbove: 0 }).encode({
      ...head,
      tags: ['a', 'b'],
      value: 'x'.repeat(200),
    })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, byte, end) => {
        const broken = Buffer.from(bytes)
        broken[at] = byte
        for (const some of [broken, broken.subarray(0, end)]) {
          expect(() => envelope().decode(some)).not.toThrow()
          expect(() => readEnvelopeHead(some)).not.toThrow()
        }
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
        expect(envelope().decode(noise)).toBeUndefined()
      }),
    )
  })

  it('takes another version and another serializer for nothing', () => {
    const bytes = Buffer.from(envelope().encode({ ...head, value: 1 }))
    expect(envelope({ serializer: structuredSerializer }).decode(bytes)).toBeUndefined()
    bytes[1] = 2
    expect(envelope().decode(bytes)).toBeUndefined()
    expect(readEnvelopeHead(bytes)).toBeUndefined()
  })

  it('stores bytes as they are, and gives them back in memory of their own', () => {
    const value = Buffer.from([0, 255, 1, 254])
    const bytes = envelope().encode({ ...head, value })
    expect(Buffer.from(bytes).subarray(-4)).toEqual(value)
    const back = envelope().decode(bytes)?.value
    expect(back).toEqual(new Uint8Array(value))
    expect((back as Uint8Array).buffer.byteLength).toBe(4)
  })

  it('compresses what is large and gets smaller by it', () => {
    const compressing = envelope({ compressAbove: 100 })
    const large = { ...head, value: 'x'.repeat(10_000) }
    expect(compressing.encode(large).length).toBeLessThan(500)
    expect(envelope().decode(compressing.encode(large))).toEqual(large)
    const small = { ...head, value: 'x'.repeat(50) }
    expect(compressing.encode(small)).toEqual(envelope().encode(small))
  })

  it('refuses values that are too large, going in and coming out', () => {
    const tight = envelope({ maxValueBytes: 100 })
    const large = { ...head, value: 'x'.repeat(200) }
    expect(() => tight.encode(large)).toThrow(ValueTooLarge)
    expect(tight.decode(envelope().encode(large))).toBeUndefined()
    // As small as that on the wire, and a great deal more in memory.
    expect(tight.decode(envelope({ compressAbove: 0 }).encode(large))).toBeUndefined()
  })

  it.each([[() => 1], [1n], [Object.assign([], { toJSON: () => undefined })]])(
    'refuses what the serializer has no form for',
    (value) => {
      expect(() => envelope().encode({ ...head, value })).toThrow(
        expect.objectContaining({ code: 'unserializable' }),
      )
    },
  )

  it('keeps what JSON loses with the structured serializer', () => {
    const structured = envelope({ serializer: structuredSerializer })
    const value = { at: new Date(5), by: new Map([[1, new Set([2n])]]) }
    expect(structured.decode(structured.encode({ ...head, value }))?.value).toEqual(value)
  })
})
