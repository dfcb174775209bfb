import fc from 'fast-check'
import { serializeItem } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../problems.ts'
import { parseIdempotencyKey } from './key.ts'

function refusal(value: string): string {
  try {
    return `taken as ${parseIdempotencyKey(value)}`
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe('parseIdempotencyKey', () => {
  it('takes bare keys as clients send them', () => {
    for (const key of ['a', '8e03978e-40d5-43dd-bc93-6894a57f9324', 'order:17/{x}=', 'a,b;c']) {
      expect(parseIdempotencyKey(key)).toBe(key)
    }
    expect(parseIdempotencyKey(' padded\t')).toBe('padded')
  })

  it('takes a String of structured fields for what it says', () => {
    expect(parseIdempotencyKey('"8e03978e"')).toBe('8e03978e')
    expect(parseIdempotencyKey('"of two words, and a comma"')).toBe('of two words, and a comma')
    expect(parseIdempotencyKey(String.raw`"a \"quoted\" \\ key"`)).toBe(
      String.raw`a "quoted" \ key`,
    )
  })

  it('takes every String that a serialiser of structured fields writes', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map(toChar),
      minLength: 1,
      maxLength: 255,
    })
    fc.assert(
      fc.property(text, (key) => {
        expect(parseIdempotencyKey(serializeItem([key, new Map()]))).toBe(key)
      }),
    )
  })

  it('refuses what is neither', () => {
    const bad = [
      'two words',
      '"open',
      'half"quoted',
      '"a", "b"',
      'a, b',
      '"a";p=1',
      'ümlaut',
      '"\\x"',
    ]
    for (const value of bad) expect(refusal(value)).toMatch(/^invalid_idempotency_key: .* not one/)
    expect(refusal('a\u0000b')).toMatch(/not one/)
    for (const value of ['', '  ', '""']) expect(refusal(value)).toMatch(/is empty/)
  })

  it('takes 255 characters and refuses 256, however they are written', () => {
    for (const unit of ['k', '"']) {
      const quoted = (length: number) => serializeItem([unit.repeat(length), new Map()])
      expect(parseIdempotencyKey(quoted(255))).toHaveLength(255)
      expect(refusal(quoted(256))).toMatch(/longer than 255/)
    }
    expect(parseIdempotencyKey('k'.repeat(255))).toHaveLength(255)
    expect(refusal('k'.repeat(256))).toMatch(/longer than 255/)
    expect(refusal(`"${'\\"'.repeat(100_000)}`)).toMatch(/longer than 255/)
  })

  it('never tells the key in its refusal', () => {
    expect(refusal('a secret of mine')).not.toContain('secret')
  })
})

function toChar(code: number): string {
  return String.fromCharCode(code)
}
