import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spaceEnd, textStart, valueEnd } from './json-bytes.ts'

/** Whether `bytes` are one JSON text to their end. */
function isJson(bytes: Buffer): boolean {
  const end = valueEnd(bytes, textStart(bytes))
  return end !== -1 && spaceEnd(bytes, end) === bytes.length
}

function isJsonByTheBook(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes))
    return true
  } catch {
    return false
  }
}

/** JSON as nobody's serializer writes it: with odd spaces, and breaks of every kind near the edges. */
const fragments = fc
  .array(
    fc.oneof(
      fc.constantFrom(...['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '\t', '\r', '\f']),
      fc.constantFrom(...['0', '-', '1', '.', 'e', 'E', '+', 'true', 'false', 'null', 'nul', 'u']),
      fc.constantFrom(
        ...['"a"', '"\\u00e9"', '\\u12', '\\n', '\u0001', '\u00a0', 'é', '🌊', '\uFEFF'],
      ),
      fc.constantFrom(
        ...['"model":', '{}', '[]', '-0', '1e9', '01', '.5', '1.', '"\\x"', '\u007f'],
      ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.from(pieces.join('')))

describe('valueEnd', () => {
  it('takes exactly what JSON.parse takes of fragments put together at random', () => {
    fc.assert(
      fc.property(fragments, (bytes) => {
        expect(isJson(bytes)).toBe(isJsonByTheBook(bytes))
      }),
      { numRuns: 5000 },
    )
  })

  it('takes exactly what JSON.parse takes of documents with a byte changed', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.json(), fc.option(change), (json, changed) => {
        const bytes = Buffer.from(json)
        if (changed !== null && bytes.length > 0) bytes[changed.at % bytes.length] = changed.byte
        expect(isJson(bytes)).toBe(isJsonByTheBook(bytes))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['0', true],
    ['-0.0e-0', true],
    ['01', false],
    ['-', false],
    ['1.', false],
    ['1e', false],
    ['+1', false],
    ['NaN', false],
    ['tru', false],
    ['truefalse', false],
    ['"\\u00E9"', true],
    ['"\\u00G9"', false],
    ['"\\', false],
    ['"a\nb"', false],
    ['[1,]', false],
    ['[,1]', false],
    ['{"a":1,}', false],
    ['{a:1}', false],
    ['{"a" : [ ] , "b":{ } }', true],
    ['[}', false],
    ['', false],
  ])('says of %j %s', (text, expected) => {
    expect(isJson(Buffer.from(text))).toBe(expected)
    expect(isJsonByTheBook(Buffer.from(text))).toBe(expected)
  })

  it('follows any depth without a stack of its own', () => {
    const depth = 1_000_000
    const open = Buffer.alloc(depth, '[')
    expect(isJson(Buffer.concat([open, Buffer.alloc(depth, ']')]))).toBe(true)
    expect(isJson(Buffer.concat([open, Buffer.alloc(depth - 1, ']')]))).toBe(false)
    expect(isJson(open)).toBe(false)
  })

  it('begins anew after a document that was left open', () => {
    expect(isJson(Buffer.from('[[[['))).toBe(false)
    expect(isJson(Buffer.from('[1]'))).toBe(true)
  })
})
