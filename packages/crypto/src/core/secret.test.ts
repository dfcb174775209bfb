import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createDerivedSource, revealSecret } from './secret.ts'

const weak = expect.objectContaining({ name: 'CryptoError', code: 'weak_secret' })

describe('revealSecret', () => {
  it.each([
    ['fewer than 32 characters', 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7Ea'],
    ['none at all', ''],
    ['one character all over', 'a'.repeat(64)],
    ['two characters', 'ab'.repeat(32)],
    ['a short piece over and over', 'Tr0ub4dor&3'.repeat(4)],
    ['a short piece over and over, cut at the end', 'q8Zx!m2Lw0Ty9Rk'.repeat(3).slice(0, 40)],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['the alphabet backwards', '9876543210ZYXWVUTSRQPONMLKJIHGFEDCBA'],
    ['doubled letters in order', 'aabbccddeeffgghhiijjkkllmmnnooppqq'],
    ['hexadecimal digits in order', '0123456789abcdef0123456789abcdef'],
    ['a placeholder', 'your-32-character-encryption-key-here'],
    ['another placeholder', 'change-me-in-production-0123456789abc'],
    ['a third placeholder', 'ReplaceWithThirtyTwoRandomCharacters!'],
    ['an example', 'this-is-only-an-example-do-not-use-it'],
    [
      'a long placeholder',
      'this-is-the-default-secret-so-please-change-it-before-going-to-production',
    ],
    ['a word for what it is', 'SuperSecretValueOfOurCompany20260101!'],
  ])('refuses %s, and says how to make a better one', (_, secret) => {
    expect(() => revealSecret(secret, 'ENCRYPTION_SECRET')).toThrow(weak)
    expect(() => revealSecret(secret, 'ENCRYPTION_SECRET')).toThrow(
      /^ENCRYPTION_SECRET .+openssl rand -base64 32/,
    )
  })

  it('says nothing of the secret it refuses', () => {
    const secret = 'canary-'.repeat(6)
    expect(() => revealSecret(secret, 'It')).toThrow(
      expect.toSatisfy((error: Error) => !`${error.stack}`.includes('canary')),
    )
  })

  it.each(['hex', 'base64', 'base64url'] as const)('takes 32 random bytes as %s', (encoding) => {
    for (let i = 0; i < 500; i++) {
      const secret = createHash('sha256').update(`${i}`).digest().toString(encoding)
      expect(revealSecret(secret, 'It')).toBe(secret)
    }
  })

  it.each(['base64', 'base64url'] as const)(
    'takes 32 random bytes as %s, also where they spell a placeholder by chance',
    (encoding) => {
      let refused = 0
      for (let i = 0; i < 500; i++) {
        const random = createHash('sha256').update(`${i}`).digest().toString(encoding)
        const secret = `${random.slice(0, 13)}YoUr-${random.slice(18)}`
        try {
          revealSecret(secret, 'It')
        } catch {
          refused++
        }
      }
      // By chance it comes up about once in a million; of these, hardly any are refused.
      expect(refused).toBeLessThan(10)
    },
  )

  it('takes what was derived of a secret whatever it spells', () => {
    const spelt = 'change-me-change-me-change-me-change-me'
    expect(
      revealSecret(
        createDerivedSource(() => spelt),
        'It',
      ),
    ).toBe(spelt)
    expect(() => revealSecret({ reveal: () => spelt }, 'It')).toThrow(weak)
  })

  it('asks a source, and refuses what gives no text', () => {
    const secret = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
    expect(revealSecret({ reveal: () => secret }, 'It')).toBe(secret)
    for (const wrong of [undefined, null, 7, {}, { reveal: () => 7 }, `${secret}\ud800`]) {
      expect(() => revealSecret(wrong as string, 'It')).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      )
    }
  })
})
