import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWholeJson } from './whole-json.ts'

const container = fc
  .json()
  .filter((json) => json.startsWith('{') || json.startsWith('['))
  .map((json) => Buffer.from(json))

describe('isWholeJson', () => {
  it('takes every document', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\r\n\t '), (json, space) => {
        expect(isWholeJson(Buffer.from(`${space}${json}${space}`))).toBe(true)
      }),
    )
  })

  it('refuses every part of an object or an array that is not the whole', () => {
    fc.assert(
      fc.property(container, fc.nat(), (bytes, cut) => {
        expect(isWholeJson(bytes.subarray(0, cut % bytes.length))).toBe(false)
      }),
      { numRuns: 2000 },
    )
    const reply = Buffer.from(
      '{"choices":[{"message":{"content":"{\\"a\\":{}}"}}],"usage":{"n":1}}',
    )
    for (let cut = 0; cut < reply.length; cut += 1) {
      expect(isWholeJson(reply.subarray(0, cut))).toBe(false)
    }
    expect(isWholeJson(reply)).toBe(true)
  })

  it('refuses more than one document', () => {
    expect(isWholeJson(Buffer.from('{}{}'))).toBe(false)
    expect(isWholeJson(Buffer.from('{"a":1} x }'))).toBe(false)
  })

  it.each([
    ['', false],
    ['  ', false],
    ['\uFEFF{"a":1}', true],
    ['\uFEFF', false],
    ['"half', false],
    ['"whole"', true],
    ['null', true],
    ['nul', false],
    ['42', true],
    ['<html></html>', false],
    ['{"a":"\u0000"}', false],
  ])('says of %j %s', (text, expected) => {
    expect(isWholeJson(Buffer.from(text))).toBe(expected)
  })
})
