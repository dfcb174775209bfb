import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumOf, fromBase64, randomBase62, readBase64Url, toBase64Url } from './encoding.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

/** What is read, or nothing. */
function fromBase64Url(text: string): Buffer | undefined {
  const into = Buffer.alloc(64 + text.length)
  const length = readBase64Url(text, into)
  return length === undefined ? undefined : into.subarray(0, length)
}

describe('base64url', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(fromBase64Url(toBase64Url(given))).toEqual(Buffer.from(given))
      }),
    )
  })

  it('writes a view of a larger buffer and nothing around it', () => {
    const whole = Buffer.from('before-within-after')
    expect(toBase64Url(whole.subarray(7, 13))).toBe(Buffer.from('within').toString('base64url'))
  })

  it('takes one text for each sequence of bytes and no other', () => {
    // Mostly its own characters, so that both answers come up.
    const own = fc.constantFrom(...'AQgwEIMUYcko048Bz9-_')
    const strange = fc.constantFrom(
      '+',
      '/',
      '=',
      ' ',
      '\n',
      '\0',
      'Ä',
      '\u0141',
      '\ud800',
      '\uff21',
    )
    const weighted = fc.oneof({ weight: 40, arbitrary: own }, { weight: 1, arbitrary: strange })
    const texts = fc.oneof(
      fc.string({ unit: weighted, maxLength: 40 }),
      fc.string({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const decoded = Buffer.from(text, 'base64url')
        const isTheOne = decoded.toString('base64url') === text
        expect(fromBase64Url(text)).toEqual(isTheOne ? decoded : undefined)
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads nothing where there is no room for it', () => {
    expect(readBase64Url('AAAA', Buffer.alloc(2))).toBeUndefined()
    expect(readBase64Url('AAAA', Buffer.alloc(3))).toBe(3)
  })

  it.each([
    'A',
    'AA==',
    'AB',
    'A+A/',
    ' AAA',
    'AAA\n',
    'AA\0A',
    'AÄAA',
    'AAAA=',
    'AAAAA',
    'A\u0141AA',
    'AAA/',
  ])('refuses %j', (text) => {
    expect(fromBase64Url(text)).toBeUndefined()
  })
})

describe('fromBase64', () => {
  it('reads what Node writes', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(fromBase64(Buffer.from(given).toString('base64'))).toEqual(Buffer.from(given))
      }),
    )
  })

  it.each(['AA', 'AA=', 'AB==', 'A-A_', ' AAAA', 'AAAA\n', 'AA==AA=='])('refuses %j', (text) => {
    expect(fromBase64(text)).toBeUndefined()
  })
})

describe('randomBase62', () => {
  it('gives as many characters as asked for, of base62 alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (length) => {
        expect(randomBase62(length)).toMatch(new RegExp(`^[0-9A-Za-z]{${length}}$`))
      }),
    )
  })

  it('gives each character about as often as any other', () => {
    const counts = new Map<string, number>()
    for (const character of randomBase62(62_000)) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    // 61 degrees of freedom: above 150 once in some 10^8 runs; a byte modulo 62 would give several hundred.
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(150)
  })
})

describe('checksumOf', () => {
  it('is CRC-32 in base62 with zeros in front', () => {
    // The check value of CRC-32/ISO-HDLC: 0xcbf43926 of "123456789".
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    const value = [...checksumOf('123456789')].reduce((sum, c) => sum * 62 + digits.indexOf(c), 0)
    expect(value).toBe(0xcbf43926)
    expect(checksumOf('')).toBe('000000')
  })
})
