import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCryptoError } from '../errors.ts'
import { createKeyRing } from '../ring/key-ring.ts'
import { encodeContext, type SealContext } from './context.ts'
import { needsRotation, open, openText, rewrap, seal } from './envelope.ts'
import { isSealed } from './format.ts'

const OLD = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
const NEW = 'b7QeWzK1nRj4MvDx6TfP9cGyLhUoS3iA'
const ring = createKeyRing({ current: OLD })
const rotated = createKeyRing({ current: NEW, previous: OLD })

const CONTEXT = { purpose: 'p', tenant: 't', row: 'r' }
const KEPT = seal(ring, 'some plaintext of some length', CONTEXT)

const anyText = fc.string({ unit: 'binary' })
// Few letters, so that contexts that only differ in where they are cut come up often.
const part = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', ':', '1', '2', 'é', '\0'),
    minLength: 1,
    maxLength: 4,
  }),
  fc.string({ unit: 'binary', minLength: 1 }),
)
const contexts: fc.Arbitrary<SealContext> = fc.record({ purpose: part, tenant: part, row: part })
const bytes = fc.uint8Array({ maxLength: 200 })

const isSame = (a: SealContext, b: SealContext) =>
  a.purpose === b.purpose && a.tenant === b.tenant && a.row === b.row

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return isCryptoError(error) ? error.code : `not ours: ${String(error)}`
  }
  return 'nothing thrown'
}

describe('envelopes', () => {
  it('give any bytes back in any context', () => {
    fc.assert(
      fc.property(bytes, contexts, (plaintext, context) => {
        const opened = open(ring, seal(ring, plaintext, context), context)
        expect(Buffer.compare(opened, plaintext)).toBe(0)
      }),
    )
  })

  it('give any text back', () => {
    fc.assert(
      fc.property(anyText, contexts, (plaintext, context) => {
        expect(openText(ring, seal(ring, plaintext, context), context)).toBe(plaintext)
      }),
    )
    const marked = '\ufeffwith a mark'
    expect(openText(ring, seal(ring, marked, CONTEXT), CONTEXT)).toBe(marked)
  })

  it('never open in another context', () => {
    fc.assert(
      fc.property(contexts, contexts, (mine, yours) => {
        fc.pre(!isSame(mine, yours))
        expect(codeOf(() => open(ring, seal(ring, 'x', mine), yours))).toBe('wrong_context')
      }),
    )
  })

  it('keep their plaintext and their body when they are rewrapped', () => {
    fc.assert(
      fc.property(bytes, contexts, (plaintext, context) => {
        const sealed = seal(ring, plaintext, context)
        const moved = rewrap(rotated, sealed, context)
        expect(moved.slice(98)).toBe(sealed.slice(98))
        expect(needsRotation(rotated, moved)).toBe(false)
        expect(Buffer.compare(open(rotated, moved, context), plaintext)).toBe(0)
        expect(Buffer.compare(open(rotated, sealed, context), plaintext)).toBe(0)
        expect(codeOf(() => open(ring, moved, context))).toBe('unknown_key')
      }),
    )
  })

  it('answer whatever else there is with an error of this package', () => {
    const changed = fc
      .tuple(fc.nat(260), fc.nat(20), anyText)
      .map(([at, cut, text]) => KEPT.slice(0, at) + text + KEPT.slice(at + cut))
    fc.assert(
      fc.property(fc.oneof(anyText, changed), (text) => {
        fc.pre(text !== KEPT)
        expect(codeOf(() => open(ring, text, CONTEXT))).toMatch(
          /^(corrupt|not_sealed|unknown_key|unknown_version)$/,
        )
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('encodeContext', () => {
  it('gives no two contexts the same bytes', () => {
    fc.assert(
      fc.property(contexts, contexts, (a, b) => {
        const [first, second] = [a, b].map((context) => Buffer.from(encodeContext(context)))
        expect(second && first?.equals(second)).toBe(isSame(a, b))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('isSealed', () => {
  it('is true of every envelope', () => {
    fc.assert(
      fc.property(bytes, contexts, (plaintext, context) => {
        expect(isSealed(seal(ring, plaintext, context))).toBe(true)
      }),
    )
  })

  it('is false of any text, also one that begins and is cut as an envelope', () => {
    const alike = fc
      .array(fc.string({ unit: fc.constantFrom(...'tgv1AZaz09-_'), maxLength: 90 }), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => ['tgv1', ...parts].join('.'))
    fc.assert(
      fc.property(fc.oneof(anyText, alike), (text) => {
        const [version, fingerprint, body, ...more] = text.split('.')
        const isWhole =
          version === 'tgv1' &&
          fingerprint?.length === 12 &&
          (body?.length ?? 0) >= 160 &&
          more.length === 0
        // A text of the whole form can't be told from an envelope without the key, and none comes up by chance.
        fc.pre(!isWhole)
        expect(isSealed(text)).toBe(false)
      }),
      { numRuns: 1_000 },
    )
  })
})
