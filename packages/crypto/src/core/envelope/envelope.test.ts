import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../ring/key-ring.ts'
import type { SealContext } from './context.ts'
import { needsRotation, open, openText, rewrap, seal } from './envelope.ts'

const OLD = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
const NEW = 'b7QeWzK1nRj4MvDx6TfP9cGyLhUoS3iA'
const LATEST = 'Yx0CkTq5Vn2ZsHb8JdLw3RgMf7PuEa1O'
const context: SealContext = { purpose: 'setup.apiKey', tenant: 'acme', row: '42' }
const ring = createKeyRing({ current: OLD })
const rotated = createKeyRing({ current: NEW, previous: OLD })
const sealed = seal(ring, 'sk-canary-plaintext', context)

function codeOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return 'nothing thrown'
}

// Version and fingerprint; iv, key and tag of the wrapped key; commitment; iv, tag and ciphertext.
const ENDS = [0, 12, 44, 60, 92, 104, 120]

/** The head of an envelope, and each part of its bytes. */
function partsOf(text: string): string[] {
  const bytes = Buffer.from(text.slice(18), 'base64url')
  const parts = ENDS.map((start, i) => bytes.subarray(start, ENDS[i + 1]).toString('hex'))
  return [text.slice(0, 18), ...parts]
}

function textOf([head, ...parts]: readonly string[]): string {
  return head + Buffer.from(parts.join(''), 'hex').toString('base64url')
}

/** The text with each of its bits turned in turn. */
function* withOneBitFlipped(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = String.fromCharCode(text.charCodeAt(i) ^ (1 << bit))
      yield text.slice(0, i) + flipped + text.slice(i + 1)
    }
  }
}

describe('seal', () => {
  it('gives a text of the length that it says', () => {
    expect(seal(ring, '', context)).toHaveLength(178)
    expect(seal(ring, 'abc', context)).toHaveLength(182)
    expect(sealed).toMatch(/^tgv1\.[\w-]{12}\.[\w-]+$/)
  })

  it('seals the same twice differently in every part but the fingerprint', () => {
    const [first, second] = [seal(ring, 'same', context), seal(ring, 'same', context)].map(partsOf)
    expect(first?.map((part, i) => part === second?.[i])).toEqual([
      true,
      ...Array.from({ length: 7 }, () => false),
    ])
  })

  it('refuses a text that would come back changed', () => {
    expect(codeOf(() => seal(ring, 'half \ud83d a pair', context))).toBe('not_text')
  })

  it('refuses more than 256 MiB', () => {
    expect(codeOf(() => seal(ring, new Uint8Array(2 ** 28 + 1), context))).toBe('too_large')
  })

  it.each([undefined, null, 4242, ['4242'], new Uint16Array(2)])(
    'refuses what is neither text nor bytes, and does not quote it: %j',
    (wrong) => {
      expect(() => seal(ring, wrong as unknown as string, context)).toThrow(
        expect.toSatisfy(
          (error: Error & { code: string }) =>
            error.code === 'invalid_option' && !error.message.includes('4242'),
        ),
      )
    },
  )

  it.each([
    ['no purpose', { ...context, purpose: '' }],
    ['no tenant', { ...context, tenant: '' }],
    ['no row', { ...context, row: '' }],
    ['a lone surrogate', { ...context, row: '\udc00' }],
  ])('refuses a context with %s, and so does open', (_, wrong) => {
    expect(codeOf(() => seal(ring, 'x', wrong))).toBe('invalid_option')
    expect(codeOf(() => open(ring, sealed, wrong))).toBe('invalid_option')
    expect(codeOf(() => rewrap(ring, sealed, wrong))).toBe('invalid_option')
  })

  it('refuses a ring that is only shaped like one', () => {
    expect(codeOf(() => seal({ ...ring }, 'x', context))).toBe('invalid_option')
    expect(codeOf(() => open({ ...ring }, sealed, context))).toBe('invalid_option')
  })
})

describe('open', () => {
  it('gives back what was sealed', () => {
    expect(openText(ring, sealed, context)).toBe('sk-canary-plaintext')
  })

  it('fails for an envelope with any one bit of its text flipped', () => {
    let tried = 0
    for (const flipped of withOneBitFlipped(sealed)) {
      tried++
      expect(codeOf(() => open(ring, flipped, context))).toMatch(
        /^(corrupt|not_sealed|unknown_key|unknown_version)$/,
      )
    }
    expect(tried).toBe(sealed.length * 8)
  })

  it('fails for an envelope with any one bit of its bytes flipped, and takes it for damaged', () => {
    const bytes = Buffer.from(sealed.slice(18), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const text = sealed.slice(0, 18) + flipped.toString('base64url')
      expect(codeOf(() => open(ring, text, context))).toBe('corrupt')
    }
  })

  it.each(['purpose', 'tenant', 'row'] as const)(
    'fails for a context with any one bit of its %s flipped, and says which fault it is',
    (part) => {
      for (const flipped of withOneBitFlipped(context[part])) {
        const code = codeOf(() => open(ring, sealed, { ...context, [part]: flipped }))
        expect(code).toBe('wrong_context')
      }
    },
  )

  it('fails for a context whose parts are the same letters, cut elsewhere', () => {
    const text = seal(ring, 'x', { purpose: 'a', tenant: 'bc', row: 'd' })
    for (const [purpose, tenant, row] of [
      ['ab', 'c', 'd'],
      ['a', 'b', 'cd'],
      ['a2:bc', '1:d', 'd'],
      ['bc', 'a', 'd'],
    ] as const) {
      expect(codeOf(() => open(ring, text, { purpose, tenant, row }))).toBe('wrong_context')
    }
  })

  it('fails for every shorter and every longer text', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => open(ring, sealed.slice(0, length), context))).toMatch(
        /^(corrupt|not_sealed)$/,
      )
    }
    for (const more of ['A', 'AAAA', '=', '.', '\n', ' ', '\0']) {
      expect(codeOf(() => open(ring, sealed + more, context))).toBe('corrupt')
    }
  })

  it('tells a secret that the ring does not have, and names it by its fingerprint', () => {
    const other = createKeyRing({ current: NEW })
    expect(() => open(other, sealed, context)).toThrow(
      expect.objectContaining({
        code: 'unknown_key',
        message: expect.stringContaining(ring.fingerprint),
      }),
    )
  })

  it('tells what is no envelope and what is one of a later version', () => {
    expect(codeOf(() => open(ring, 'sk-plain', context))).toBe('not_sealed')
    expect(codeOf(() => open(ring, '', context))).toBe('not_sealed')
    expect(codeOf(() => open(ring, sealed.replace('tgv1', 'tgv2'), context))).toBe(
      'unknown_version',
    )
    expect(codeOf(() => open(ring, 'tgv17.anything', context))).toBe('unknown_version')
  })

  it('opens nothing that was put together of two envelopes of the same ring and context', () => {
    const [a, b] = [partsOf(sealed), partsOf(seal(ring, 'another', context))]
    expect(textOf(a)).toBe(sealed)
    for (let from = 1; from < a.length; from++) {
      for (let to = from + 1; to <= a.length; to++) {
        if (to - from === a.length - 1) continue
        const mixed = a.map((part, i) => (i >= from && i < to ? (b[i] ?? '') : part))
        expect(codeOf(() => open(ring, textOf(mixed), context))).toBe('corrupt')
      }
    }
  })

  it('opens nothing under a fingerprint of the ring that it was not sealed with', () => {
    const parts = sealed.split('.').with(1, rotated.fingerprint)
    expect(codeOf(() => open(rotated, parts.join('.'), context))).toBe('corrupt')
  })

  it('gives bytes that are no text as bytes alone', () => {
    const text = seal(ring, Uint8Array.of(0xff, 0xfe), context)
    expect(codeOf(() => openText(ring, text, context))).toBe('not_text')
    expect([...open(ring, text, context)]).toEqual([0xff, 0xfe])
  })
})

describe('rewrap', () => {
  const moved = rewrap(rotated, sealed, context)

  it('changes the fingerprint and the wrapped key, and nothing else', () => {
    const [before, after] = [partsOf(sealed), partsOf(moved)]
    const isSame = after.map((part, i) => part === before[i])
    expect(isSame).toEqual([false, false, false, false, true, true, true, true])
    expect(openText(createKeyRing({ current: NEW }), moved, context)).toBe('sk-canary-plaintext')
  })

  it('leaves an envelope of the current secret as it is', () => {
    expect(rewrap(rotated, moved, context)).toBe(moved)
  })

  it('refuses one of another context, one that was damaged and one without its secret', () => {
    const elsewhere = { ...context, row: '43' }
    expect(codeOf(() => rewrap(rotated, sealed, elsewhere))).toBe('wrong_context')
    expect(codeOf(() => rewrap(rotated, moved, elsewhere))).toBe('wrong_context')
    expect(codeOf(() => rewrap(rotated, sealed.slice(0, -4), context))).toBe('corrupt')
    expect(codeOf(() => rewrap(createKeyRing({ current: NEW }), sealed, context))).toBe(
      'unknown_key',
    )
  })
})

describe('a ring of several previous secrets', () => {
  it('opens what was sealed with any of them', () => {
    const middle = createKeyRing({ current: NEW })
    const latest = createKeyRing({ current: LATEST, previous: [NEW, OLD] })
    for (const text of [sealed, seal(middle, 'sk-canary-plaintext', context)]) {
      expect(openText(latest, text, context)).toBe('sk-canary-plaintext')
      const last = createKeyRing({ current: LATEST })
      expect(openText(last, rewrap(latest, text, context), context)).toBe('sk-canary-plaintext')
    }
  })
})

describe('needsRotation', () => {
  it('is true of what was sealed with another secret than the current one', () => {
    expect(needsRotation(ring, sealed)).toBe(false)
    expect(needsRotation(rotated, sealed)).toBe(true)
    expect(needsRotation(rotated, rewrap(rotated, sealed, context))).toBe(false)
  })

  it('has no answer for what is no envelope', () => {
    expect(codeOf(() => needsRotation(ring, 'sk-plain'))).toBe('not_sealed')
    expect(codeOf(() => needsRotation(ring, 'tgv2.x'))).toBe('unknown_version')
  })
})

describe('errors', () => {
  it('say nothing of secrets, plaintexts and contexts', () => {
    const other = createKeyRing({ current: NEW })
    for (const work of [
      () => open(other, sealed, context),
      () => open(ring, sealed, { ...context, row: 'canary-row' }),
      () => open(ring, `${sealed}A`, context),
      () => open(ring, 'sk-canary-plaintext', context),
      () => open(ring, 'tgv2.sk-canary-plaintext', context),
      () => seal(ring, 'sk-canary-plaintext\ud800', context),
      () => seal(ring, 'sk-canary-plaintext', { ...context, tenant: '' }),
    ]) {
      expect(work).toThrow(
        expect.toSatisfy((error: Error) => {
          const said = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
          return ![OLD, NEW, 'canary', 'acme', 'setup.apiKey'].some((text) => said.includes(text))
        }),
      )
    }
  })
})
