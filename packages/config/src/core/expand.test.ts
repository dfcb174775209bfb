import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expand } from './expand.ts'

const from = (variables: Readonly<Record<string, string>>) => (name: string) => variables[name]

const awkward = fc.constantFrom(...`\${}:-AB '"\n#*&!|>%@,[]\\\0é😀`)

function textOf(text: string, variables: Readonly<Record<string, string>> = {}): string {
  const result = expand(text, from(variables))
  return result.kind === 'text' ? result.text : result.kind
}

describe('expand', () => {
  it('puts values in the place of names', () => {
    expect(textOf(`http://\${HOST}:\${PORT}/`, { HOST: 'a', PORT: '1' })).toBe('http://a:1/')
  })

  it('takes the default of a name that is unset or empty', () => {
    expect(textOf(`\${A:-x}`, {})).toBe('x')
    expect(textOf(`\${A:-x}`, { A: '' })).toBe('x')
    expect(textOf(`\${A:-}`, {})).toBe('')
    expect(textOf(`\${A:-http://x:1/?a=b}`)).toBe('http://x:1/?a=b')
    expect(textOf(`\${A:-x}`, { A: 'set' })).toBe('set')
  })

  it('names every variable that is unset', () => {
    const result = expand(`\${A} \${B:-b} \${C}`, from({ C: '' }))
    expect(result).toEqual({ kind: 'unset', names: ['A', 'C'] })
  })

  it(`reads $\${ as the characters themselves`, () => {
    expect(textOf(`$\${A}`, { A: 'x' })).toBe(`\${A}`)
    expect(textOf(`$$\${A}`, { A: 'x' })).toBe(`$\${A}`)
  })

  it('leaves a dollar that opens nothing', () => {
    expect(textOf('$A costs $5 $$ {x}', { A: 'x' })).toBe('$A costs $5 $$ {x}')
  })

  it.each([`\${`, `\${}`, `\${ A}`, `\${A`, `\${1A}`, `\${A-b}`, `\${A:-\${B}}`, `a \${A} \${`])(
    'refuses %s',
    (text) => {
      expect(expand(text, from({ A: 'a', B: 'b' })).kind).toBe('malformed')
    },
  )

  it('takes a value as it is, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: awkward }),
        fc.constantFrom('$', `\${B}`, `$\${`, "'\n"),
        (noise, hook) => {
          const value = noise + hook + noise
          expect(textOf(`[\${A}]`, { A: value, B: 'injected' })).toBe(`[${value}]`)
        },
      ),
    )
  })

  it('keeps text without a dollar as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes(`\${`))
        expect(expand(text, from({}))).toEqual({ kind: 'text', text, expanded: false })
      }),
    )
  })
})
