import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../ring/key-ring.ts'
import { openText } from './envelope.ts'

const OLD = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
const context = { purpose: 'setup.apiKey', tenant: 'acme', row: '42' }
const ring = createKeyRing({ current: OLD })

describe('the format', () => {
  // Written once and kept: every later release has to open it.
  const KEPT =
    'tgv1.xSNBUF7ak0D8.h-WIef0LL1mFYChUX5_egvTl1m0WaaaCsLB-PNOrc43e7A6FukpGipAji7dKBZ5iYcrG5d0LYLejeRtLceN58GenldPt8jlBMsZiLp_0oNUposd71VSsda1RriKIjjGSB9gGhqiOkGaIfuHLgNR-kAi44a35l8O7SPQj6FjqwzTev8mxeNjaSt1C_I26nenGDXHVrA'

  it('is still that of the first release', () => {
    expect(openText(ring, KEPT, context)).toBe('kept since the first release')
  })

  it('is what its documentation says, read with nothing but node:crypto', () => {
    const [, fingerprint, text = ''] = KEPT.split('.')
    const bytes = Buffer.from(text, 'base64url')
    const part = (start: number, end?: number) => bytes.subarray(start, end)
    const derive = (use: string, length: number) =>
      Buffer.from(hkdfSync('sha256', OLD, '', `tidegate ring v1: ${use}`, length))
    expect(derive('fingerprint', 9).toString('base64url')).toBe(fingerprint)

    const decrypt = (key: Buffer, iv: Buffer, tag: Buffer, sealed: Buffer, aad?: Buffer) => {
      const decipher = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(tag)
      if (aad) decipher.setAAD(aad)
      return Buffer.concat([decipher.update(sealed), decipher.final()])
    }
    const commitment = part(60, 92)
    const wrapping = derive('wrap data keys', 32)
    const dataKey = decrypt(wrapping, part(0, 12), part(44, 60), part(12, 44), commitment)

    const derived = createHash('sha512')
      .update(Buffer.of(0, 0, 0, 1))
      .update(dataKey)
      .update('tidegate v1:12:setup.apiKey4:acme2:42')
      .digest()
    expect(derived.subarray(0, 32)).toEqual(commitment)
    const opened = decrypt(derived.subarray(32), part(92, 104), part(104, 120), part(120))
    expect(opened.toString()).toBe('kept since the first release')
  })
})
