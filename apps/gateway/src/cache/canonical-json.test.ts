import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalObject } from './canonical-json.ts'

const form = (text: string): string | undefined => canonicalObject(Buffer.from(text))?.text

/** Any JSON, written in any way: spaces, escapes and the order of names are drawn. */
function written(value: unknown, draw: (choices: number) => number): string {
  const space = ['', ' ', '\n', '\t '][draw(4)] ?? ''
  if (typeof value === 'string') return `${space}${writtenText(value, draw)}${space}`
  if (Array.isArray(value)) return `${space}[${value.map((each) => written(each, draw))}${space}]`
  if (typeof value !== 'object' || value === null) return `${space}${JSON.stringify(value)}`
  const members = Object.entries(value).map(
    ([name, each]) => `${space}${writtenText(name, draw)}${space}:${written(each, draw)}`,
  )
  const turned = draw(members.length + 1)
  return `${space}{${[...members.slice(turned), ...members.slice(0, turned)]}${space}}`
}

function writtenText(text: string, draw: (choices: number) => number): string {
  const units = [...text].map((character) => {
    if (draw(3) > 0) return JSON.stringify(character).slice(1, -1)
    return Array.from({ length: character.length }, (_, at) => {
      const code = character.charCodeAt(at).toString(16).padStart(4, '0')
      return `\\u${draw(2) === 0 ? code : code.toUpperCase()}`
    }).join('')
  })
  return `"${units.join('')}"`
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((name) => name !== 'properties')

const json = fc.letrec<{ any: unknown; object: object }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
    text,
    fc.array(tie('any'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(text, tie('any'), { maxKeys: 4 }),
}))

const draws = fc.infiniteStream(fc.nat({ max: 1_000 })).map((stream) => {
  return (choices: number): number => (stream.next().value ?? 0) % choices
})

describe('canonicalObject', () => {
  it('is the same for each way to write the same object', () => {
    fc.assert(
      fc.property(json.object, draws, draws, (object, one, other) => {
        const first = form(written(object, one))
        expect(first).toBeDefined()
        expect(form(written(object, other))).toBe(first)
        expect(JSON.parse(first ?? '')).toEqual(JSON.parse(JSON.stringify(object)))
      }),
    )
  })

  it('is another for every other object', () => {
    fc.assert(
      fc.property(json.object, json.object, draws, (one, other, draw) => {
        const alike = form(written(one, draw)) === form(written(other, draw))
        expect(alike).toBe(same(one, other))
      }),
    )
  })

  it('agrees with JSON.parse about what is JSON', () => {
    const fragment = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '\u0000', '\\u12', '\\x', '\\n'],
      ...['1', '0', '-', '.', 'e', '+', 'true', 'null', 'a', '"a"', '"b"', '\ufeff', '\u00a0'],
    )
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 14 }), (fragments) => {
        const body = `{"a":${fragments.join('')}}`
        let parses = true
        try {
          JSON.parse(body)
        } catch {
          parses = false
        }
        // What parses can still be refused, for a name that is there twice.
        if (form(body) !== undefined) expect(parses).toBe(true)
        else if (parses) expect(body).toMatch(/"(a|b|\\n|\\n\\n)*"[\s\S]*"/)
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps numbers as they are written', () => {
    const numbers = ['1', '1.0', '1e0', '1E0', '10e-1', '-0', '0', '1e400', '9007199254740993']
    const forms = numbers.map((number) => form(`{"n":${number}}`))
    expect(new Set(forms).size).toBe(numbers.length)
  })

  it('keeps the order of what a schema describes, and of no other names', () => {
    const schema = (names: string): string => `{"z":1,"properties":{${names}},"a":{"d":1,"c":2}}`
    expect(form(schema('"b":1,"a":2'))).toBe('{"a":{"c":2,"d":1},"properties":{"b":1,"a":2},"z":1}')
    expect(form(schema('"a":2,"b":1'))).not.toBe(form(schema('"b":1,"a":2')))
  })

  it.each([
    ['a name twice', '{"a":1,"a":2}'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a name twice further down', '{"a":[{"b":1,"b":1}]}'],
    ['a list', '[1]'],
    ['a text', '"a"'],
    ['nothing', ''],
    ['a rest', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{/**/}'],
    ['a trailing comma', '{"a":1,}'],
    ['NaN', '{"a":NaN}'],
    ['a number with a leading zero', '{"a":01}'],
    ['a control character', '{"a":"\u0001"}'],
    ['an open string', '{"a":"'],
    ['an open escape', '{"a":"\\'],
    ['what has too many members', `{"a":[${'{"b":1},'.repeat(50_000)}1]}`],
    ['what is nested too deeply', `{"a":${'['.repeat(300)}${']'.repeat(300)}}`],
  ])('has none of %s', (_, body) => {
    expect(form(body)).toBeUndefined()
  })

  it('has none of bytes that are no text', () => {
    expect(canonicalObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeUndefined()
  })

  it('tells half a character from another and from its escape', () => {
    expect(form('{"a":"\\ud83d"}')).toBe('{"a":"\\ud83d"}')
    expect(form('{"a":"\\ud83d\\ude00"}')).toBe(form('{"a":"😀"}'))
  })

  it('gives the members of the object itself', () => {
    const { members } = canonicalObject(Buffer.from('{"model":"m","a":{"model":"no"}}')) ?? {}
    expect([...(members ?? [])]).toEqual([
      ['model', '"m"'],
      ['a', '{"model":"no"}'],
    ])
  })

  it('takes time in proportion to the body', () => {
    const many = `{"a":"${'\\n'.repeat(200_000)}","b":[${'"x",'.repeat(100_000)}1]}`
    expect(form(many)?.length).toBe(many.length)
  })
})

/** Whether two values of JSON are one, whatever the order of their names. */
function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return Object.is(one, other)
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const [names, others] = [Object.keys(one), Object.keys(other)]
  const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))]
  return (
    names.length === others.length &&
    names.every((name) => right.has(name) && same(left.get(name), right.get(name)))
  )
}
