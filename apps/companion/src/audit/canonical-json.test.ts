import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, NotCanonicalError } from './canonical-json.ts'

function pointerOf(value: unknown): string {
  try {
    canonicalJson(value)
  } catch (error) {
    if (error instanceof NotCanonicalError) return error.pointer
    throw error
  }
  throw new Error('it has a canonical form')
}

describe('canonicalJson', () => {
  it('writes the example of RFC 8785, section 3.2.2', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('sorts members by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const value = Object.fromEntries(names.map((name) => [name, 0]))
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
    expect(canonicalJson(value)).toBe(`{${sorted.map((n) => `${JSON.stringify(n)}:0`).join()}}`)
  })

  it('writes minus zero as zero', () => {
    expect(canonicalJson([-0])).toBe('[0]')
  })

  it('takes a member called __proto__ for one like any other', () => {
    const text = '{"__proto__":{"a":1},"constructor":2}'
    expect(canonicalJson(JSON.parse(text))).toBe(text)
  })

  it('tells where there is something that JSON cannot say', () => {
    expect(pointerOf({ a: [1, Number.NaN] })).toBe('/a/1')
    expect(pointerOf({ 'a/b~': undefined })).toBe('/a~1b~0')
    expect(pointerOf([new Date(0)])).toBe('/0')
    expect(pointerOf([1n])).toBe('/0')
    expect(pointerOf(['\ud800'])).toBe('/0')
    expect(pointerOf({ '\udc00': 1 })).toBe('/\udc00')
    expect(pointerOf(new Array(2))).toBe('/0')
  })

  it('refuses what is nested beyond 32 levels, and what holds itself', () => {
    let value: unknown = 1
    for (let depth = 0; depth < 32; depth += 1) value = [value]
    expect(canonicalJson(value)).toHaveLength(65)
    expect(() => canonicalJson([value])).toThrow(NotCanonicalError)
    const ring: unknown[] = []
    ring.push(ring)
    expect(() => canonicalJson(ring)).toThrow(NotCanonicalError)
  })

  it('is the same for equal values in any order of members, and reads back as the value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).reverse())
        const text = canonicalJson(value)
        expect(canonicalJson(backwards)).toBe(text)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
