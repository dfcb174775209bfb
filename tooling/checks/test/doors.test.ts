import { describe, expect, it } from 'vitest'
import { type Doors, doorProblems } from '../rules/doors.ts'

const target = (door: string) => ({
  '@tidegate/source': `./src/${door}.ts`,
  types: `./dist/${door}.d.ts`,
  default: `./dist/${door}.js`,
})

const good: Doors = {
  dir: 'packages/a',
  files: new Map([
    [
      'index.ts',
      "// Why.\nexport { a, type B } from './core/a.ts'\nexport type { C } from './core/c.ts'\n",
    ],
    ['hono.ts', "export { h } from './hono/h.ts'\n"],
  ]),
  exports: { '.': target('index'), './hono': target('hono'), './package.json': './package.json' },
  entries: { index: 'src/index.ts', hono: 'src/hono.ts' },
}

const withIndex = (text: string): Doors => ({
  ...good,
  files: new Map([...good.files, ['index.ts', text]]),
})

describe('doorProblems', () => {
  it('accepts doors, exports and entries that agree', () => {
    expect(doorProblems(good)).toEqual([])
  })

  it('finds a file among the doors that is not exported', () => {
    const files = new Map([...good.files, ['redis.ts', "export { r } from './core/r.ts'"]])
    expect(doorProblems({ ...good, files })).toEqual([
      'packages/a/src/redis.ts: is no key of "exports"; export it or move it into a room',
    ])
  })

  it('finds an export without a door', () => {
    const files = new Map([...good.files].slice(0, 1))
    expect(doorProblems({ ...good, files })).toEqual([
      'packages/a/package.json: exports "./hono" has no door src/hono.ts',
    ])
  })

  it('finds a door the bundler does not build, and an entry nobody can import', () => {
    const entries = { index: 'src/index.ts', extra: 'src/core/extra.ts' }
    const problems = doorProblems({ ...good, entries })
    expect(problems).toHaveLength(2)
    expect(problems[0]).toContain('no entry hono')
    expect(problems[1]).toContain('entry extra is not exported')
  })

  it('finds an export whose conditions are in another order', () => {
    const { default: main, ...rest } = target('hono')
    const exports = { ...good.exports, './hono': { default: main, ...rest } }
    expect(doorProblems({ ...good, exports })[0]).toContain('exports "./hono" has to be')
  })

  it('finds tests among the doors', () => {
    const files = new Map([...good.files, ['index.test.ts', '']])
    expect(doorProblems({ ...good, files })[0]).toContain('tests live beside their code')
  })

  it.each([
    ["export * from './core/a.ts'"],
    ["export * as a from './core/a.ts'"],
    ["export { a } from './a.ts'"],
    ["export { a } from 'hono'"],
    ["import { a } from './core/a.ts'\nexport { a }"],
    ['export const a = 1'],
    ['export default 1'],
  ])('refuses a door that holds %s', (text) => {
    expect(doorProblems(withIndex(text))[0]).toContain('a door only names what it exports')
  })

  it('refuses a door of more than 60 lines', () => {
    const text = "export { a } from './core/a.ts'\n".repeat(61)
    expect(doorProblems(withIndex(text))).toEqual([
      'packages/a/src/index.ts: 61 lines; a door has at most 60',
    ])
  })
})
