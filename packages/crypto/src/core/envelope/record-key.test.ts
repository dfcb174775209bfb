import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveRecordKey } from './record-key.ts'

const keyOf = (dataKey: Uint8Array, context: string) => {
  const { key, commitment } = deriveRecordKey(dataKey, context)
  return [Buffer.from(commitment).toString('hex'), key.export().toString('hex')]
}

describe('deriveRecordKey', () => {
  it('is the one-step KDF of SP 800-56C, call after call, whatever the length of the context', () => {
    const context = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 90 }),
      fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.repeat(50)),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), context, (dataKey, text) => {
        const hash = createHash('sha512')
          .update(Buffer.of(0, 0, 0, 1))
          .update(dataKey)
        const hex = hash.update('tidegate v1:').update(text).digest('hex')
        expect(keyOf(dataKey, text)).toEqual([hex.slice(0, 64), hex.slice(64)])
      }),
      { numRuns: 300 },
    )
  })

  it('gives another key and another commitment for another data key or context', () => {
    const derived = [
      ['one', 'here'],
      ['two', 'here'],
      ['one', 'there'],
    ].map(([key = '', context = '']) => keyOf(Buffer.alloc(32, key), context))
    expect(new Set(derived.flat()).size).toBe(6)
  })

  it('leaves the data key that it was given as it is', () => {
    const dataKey = Buffer.alloc(32, 7)
    deriveRecordKey(dataKey, 'here')
    expect(dataKey).toEqual(Buffer.alloc(32, 7))
  })
})
