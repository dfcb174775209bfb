import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveRecordKey, hmacSha512 } from './record-key.ts'

const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength })

describe('hmacSha512', () => {
  it('is the HMAC that createHmac makes, call after call', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 128 }),
        fc.oneof(text(90), text(2_000)),
        (key, message) => {
          const expected = createHmac('sha512', key).update(message).digest('hex')
          expect(hmacSha512(key, message).toString('hex')).toBe(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('deriveRecordKey', () => {
  it('gives another key and another commitment for another data key or context', () => {
    const derived = [
      ['one', 'here'],
      ['two', 'here'],
      ['one', 'there'],
    ].map(([key = '', context = '']) => {
      const { key: object, commitment } = deriveRecordKey(Buffer.alloc(32, key), context)
      return [object.export().toString('hex'), commitment.toString('hex')]
    })
    expect(new Set(derived.flat()).size).toBe(6)
    expect(derived.flat().every((text) => text.length === 64)).toBe(true)
  })
})
