import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFixedMac } from './fixed-mac.ts'

function macOf(key: Uint8Array, text: string): string {
  const into = Buffer.alloc(32)
  createFixedMac(key, text.length)(text, into)
  return into.toString('hex')
}

describe('createFixedMac', () => {
  // RFC 4231, test cases 1 and 2.
  it.each([
    [
      Buffer.alloc(20, 0x0b),
      'Hi There',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
  ])('gives the HMAC-SHA256 of RFC 4231', (key, text, expected) => {
    expect(macOf(key, text)).toBe(expected)
  })

  it('agrees with createHmac, text after text', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 64 })
    const texts = fc.array(fc.string({ minLength: 60, maxLength: 60 }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(key, texts, (bytes, all) => {
        const mac = createFixedMac(bytes, 60)
        for (const text of all) {
          const into = Buffer.alloc(32)
          mac(text, into)
          expect(into).toEqual(createHmac('sha256', bytes).update(text).digest())
        }
      }),
    )
  })
})
