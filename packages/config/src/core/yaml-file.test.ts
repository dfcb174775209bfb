import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toPlain } from './tree.ts'
import { parseYaml } from './yaml-file.ts'

function problemsOf(text: string): string[] {
  return parseYaml(text, 'f.yaml').problems.map(({ source, path, message }) => {
    const at = source.kind === 'file' ? `${source.line}:${source.column}` : source.kind
    return `${at} ${path} ${message}`
  })
}

function plain(text: string): unknown {
  const { root, problems } = parseYaml(text, 'f.yaml')
  expect(problems).toEqual([])
  return root && toPlain(root)
}

describe('parseYaml', () => {
  it('reads YAML 1.2 and JSON', () => {
    expect(plain('a: 1\nb: [x, "2", off]\nc: { d: true }')).toEqual({
      a: 1,
      b: ['x', '2', 'off'],
      c: { d: true },
    })
    expect(plain('{\n\t"a": 1,\n\t"b": {\n\t\t"c": [1.5, null, false]\n\t}\n}')).toEqual({
      a: 1,
      b: { c: [1.5, false] },
    })
  })

  it('reads what any JSON means', () => {
    const key = fc
      .string({ minLength: 1 })
      .filter((name) => name !== '__proto__' && name !== '$schema')
    const leaf = fc.oneof(fc.string({ minLength: 1 }), fc.boolean(), fc.integer())
    const tree = fc.dictionary(key, fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, leaf)))
    fc.assert(
      fc.property(tree, (value) => {
        expect(plain(JSON.stringify(value, null, 2))).toEqual({ ...value })
      }),
    )
  })

  it('takes an empty file for an empty mapping', () => {
    expect(plain('')).toEqual({})
    expect(plain('# nothing yet\n')).toEqual({})
  })

  it('keeps keys without a value, undefined', () => {
    expect(plain('a:\nb: ""\nc: ~')).toEqual({ a: undefined, b: undefined, c: undefined })
  })

  it('leaves out the key by which editors find a schema', () => {
    expect(plain('$schema: ./schema.json\na: 1')).toEqual({ a: 1 })
  })

  it('follows aliases', () => {
    expect(plain('a: &x { b: 1 }\nc: *x')).toEqual({ a: { b: 1 }, c: { b: 1 } })
  })

  it.each([
    ['a: 1\nb: 2\na: 3', '3:1 a the key "a" stands here twice; first in line 1'],
    ['a: &x [*x]', '1:7 a[0] this alias stands inside what it refers to'],
    ['a: *x', '1:4 a there is no anchor "x" above'],
    ['- a', '1:1 (root) expected keys and values at the top of the file'],
    ['hello', '1:1 (root) expected keys and values at the top of the file'],
    ['a:\n\tb: 1', '2:1 (root) a tab can not indent; use spaces'],
    [
      'a: b: c',
      '1:4 (root) a value can not begin on the line of another key; quote it if it holds ": "',
    ],
    ['a: !env X', '1:4 (root) tags such as !name are not supported'],
    ['a: 1\n---\nb: 1', '2:1 (root) a second document begins here; a file holds one'],
    ['? { a: 1 }\n: b', '1:3 (root) a key must be plain text'],
    ['__proto__: { x: 1 }', '1:1 (root) a key must be plain text'],
  ])('refuses %j where it is wrong', (text, problem) => {
    expect(problemsOf(text)).toContain(problem)
  })

  it('never shows what stands in a broken file', () => {
    const text = 'key: "sk-live-1234567890\nnext: 1\n'
    expect(problemsOf(text).join()).not.toContain('sk-live')
  })

  it('ends soon and with a problem for what is meant to exhaust it', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const below = level === 0 ? 'x' : `*a${level - 1}`
      return `a${level}: &a${level} [${Array(9).fill(below).join()}]`
    })
    expect(problemsOf(levels.join('\n')).join()).toContain(
      'holds too many values; check its aliases',
    )
    expect(problemsOf(`a: ${'['.repeat(5000)}`)).not.toEqual([])
    expect(problemsOf('- '.repeat(5000))).not.toEqual([])
  })

  it('answers any text without throwing', () => {
    const alphabet = fc.constantFrom(...'ab: -[]{},&*!|>\'"%#?\n\t$@`~', '\u2028', '\u0007')
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 60 }), (text) => {
        expect(parseYaml(text, 'f.yaml').root?.kind ?? 'mapping').toBe('mapping')
      }),
      { numRuns: 500 },
    )
  })
})
