import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from './key-ring.ts'

const A = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
const B = 'b7QeWzK1nRj4MvDx6TfP9cGyLhUoS3iA'
const C = 'Yx0CkTq5Vn2ZsHb8JdLw3RgMf7PuEa1O'
const ring = createKeyRing({ current: A })

describe('createKeyRing', () => {
  it('has a fingerprint that says which secret it is, and nothing else', () => {
    expect(ring.fingerprint).toMatch(/^[\w-]{12}$/)
    expect(createKeyRing({ current: { reveal: () => A } }).fingerprint).toBe(ring.fingerprint)
    expect(createKeyRing({ current: B }).fingerprint).not.toBe(ring.fingerprint)
    expect(createKeyRing({ current: `${A} ` }).fingerprint).not.toBe(ring.fingerprint)
  })

  it('takes one previous secret or several, and the current one only once', () => {
    const of = (previous: string | string[]) => createKeyRing({ current: A, previous }).previous
    const [b, c] = [B, C].map((current) => createKeyRing({ current }).fingerprint)
    expect(of(B)).toEqual([b])
    expect(of([B, C])).toEqual([b, c])
    expect(of([A, B])).toEqual([b])
    expect(of([B, C, B])).toEqual([b, c])
    expect(ring.previous).toEqual([])
  })

  it('holds previous secrets to the same rules', () => {
    expect(() => createKeyRing({ current: A, previous: 'short' })).toThrow(
      expect.objectContaining({ code: 'weak_secret' }),
    )
  })

  it('shows no key to whoever prints, copies or serialises it', () => {
    const shown = inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring)
    expect(shown).not.toContain(A)
    expect(Object.keys(ring)).toEqual([
      'fingerprint',
      'previous',
      'blindIndex',
      'blindIndexes',
      'derive',
    ])
    expect(Object.isFrozen(ring)).toBe(true)
  })
})

describe('blindIndex', () => {
  it('is the same for the same purpose and value, and for nothing else', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.string({ minLength: 1 }), fc.string()),
        fc.tuple(fc.string({ minLength: 1 }), fc.string()),
        (a, b) => {
          const isSame = a[0] === b[0] && a[1] === b[1]
          expect(ring.blindIndex(...a) === ring.blindIndex(...b)).toBe(isSame)
        },
      ),
    )
    expect(ring.blindIndex('ab', 'c')).not.toBe(ring.blindIndex('a', 'bc'))
    expect(ring.blindIndex('email', 'a@b.example')).toMatch(/^[\w-]{43}$/)
  })

  it('is another under another secret, and the ring gives those of all its secrets', () => {
    const rotated = createKeyRing({ current: B, previous: A })
    expect(rotated.blindIndexes('email', 'x')).toEqual([
      createKeyRing({ current: B }).blindIndex('email', 'x'),
      ring.blindIndex('email', 'x'),
    ])
    expect(rotated.blindIndex('email', 'x')).toBe(rotated.blindIndexes('email', 'x')[0])
  })

  it('refuses an empty purpose and texts that are not well-formed', () => {
    const refusal = expect.objectContaining({ code: 'invalid_option' })
    expect(() => ring.blindIndex('', 'x')).toThrow(refusal)
    expect(() => ring.blindIndex('email', '\ud800')).toThrow(refusal)
  })
})

describe('derive', () => {
  it('gives secrets of their own for each purpose, that make rings themselves', () => {
    const rotated = createKeyRing({ current: B, previous: A })
    const { current, previous } = rotated.derive('sessions')
    expect(current.reveal()).toMatch(/^[\w-]{43}$/)
    expect(current.reveal()).not.toBe(rotated.derive('peppers').current.reveal())
    expect(previous.map((source) => source.reveal())).toEqual([
      ring.derive('sessions').current.reveal(),
    ])
    expect(createKeyRing(rotated.derive('sessions')).previous).toHaveLength(1)
  })

  it.each(['', 'half \ud83d a pair', 'a'.repeat(201), undefined, {}, 7])(
    'refuses the purpose %j, at once',
    (purpose) => {
      const refusal = expect.objectContaining({ code: 'invalid_option' })
      expect(() => ring.derive(purpose as string)).toThrow(refusal)
    },
  )

  it('takes a long purpose in any script', () => {
    expect(ring.derive('語'.repeat(200)).current.reveal()).toMatch(/^[\w-]{43}$/)
  })
})
