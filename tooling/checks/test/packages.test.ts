import { describe, expect, it } from 'vitest'
import { changesetProblems } from '../rules/changesets.ts'
import { licenceProblems } from '../rules/licences.ts'
import { manifestProblems, undocumentedDoors } from '../rules/manifests.ts'

describe('licenceProblems', () => {
  const names = [{ name: 'x', versions: ['1.0.0'] }]

  it.each(['MIT', '(MIT OR GPL-3.0)', 'Apache-2.0 AND MIT', '(MIT AND Zlib)'])(
    'allows %s',
    (licence) => {
      expect(licenceProblems({ [licence]: names })).toEqual([])
    },
  )

  it.each([
    'GPL-3.0',
    'Unknown',
    'MIT AND GPL-3.0',
    '(MIT OR GPL-3.0) AND AGPL-3.0',
    'AGPL-3.0 OR SSPL-1.0',
  ])('refuses %s', (licence) => {
    expect(licenceProblems({ [licence]: names })).toEqual([
      `x@1.0.0: licence "${licence}" is not on the list`,
    ])
  })
})

describe('changesetProblems', () => {
  const released = { name: '@tidegate/a', version: '1.0.0' }
  const told = { path: '.changeset/b.md', text: '---\n"@tidegate/a": minor\n---\n\nAdd b.\n' }

  it('asks for a changeset when a released package has changed', () => {
    const changed = { ...released, changed: true }
    expect(changesetProblems([changed], [])[0]).toContain('@tidegate/a: changed since 1.0.0')
    expect(changesetProblems([changed], [told])).toEqual([])
  })

  it('asks for a changeset for the first release', () => {
    const first = { ...released, version: '0.0.0', changed: 'unknown' } as const
    expect(changesetProblems([first], [])).toHaveLength(1)
    expect(changesetProblems([first], [told])).toEqual([])
  })

  it('asks for none when nothing changed, or the version is about to be published', () => {
    expect(changesetProblems([{ ...released, changed: false }], [])).toEqual([])
    expect(changesetProblems([{ ...released, changed: 'unknown' }], [])).toEqual([])
  })

  it.each([
    ['no front matter', 'Add b.'],
    ['no sentence', '---\n"@tidegate/a": minor\n---\n'],
    ['an unknown package', '---\n"@tidegate/z": minor\n---\nAdd b.'],
    ['an unknown size', '---\n"@tidegate/a": huge\n---\nAdd b.'],
  ])('refuses a changeset with %s', (_, text) => {
    const found = changesetProblems([{ ...released, changed: false }], [{ path: 'c.md', text }])
    expect(found).toHaveLength(1)
  })
})

describe('manifestProblems', () => {
  const manifest = {
    name: '@tidegate/a',
    description: 'A.',
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22.19.0' },
    files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/*.fixture.ts'],
  }

  it('accepts the common shape', () => {
    expect(manifestProblems('packages/a', manifest, () => true)).toEqual([])
  })

  it('finds fields that stray, fields and files that are missing', () => {
    const { description, ...rest } = { ...manifest, name: 'b', type: 'commonjs', files: ['dist'] }
    expect(manifestProblems('packages/a', rest, (file) => file !== 'README.md')).toHaveLength(5)
    expect(description).toBe('A.')
  })
})

describe('undocumentedDoors', () => {
  it('finds the doors that a document does not name', () => {
    const manifest = {
      name: '@tidegate/a',
      exports: { '.': {}, './hono': {}, './package.json': '' },
    }
    expect(undocumentedDoors('R.md', '`@tidegate/a`, `@tidegate/a/hono`', manifest)).toEqual([])
    expect(undocumentedDoors('R.md', '`@tidegate/a`', manifest)).toEqual([
      'R.md: its table of doors lacks `@tidegate/a/hono`',
    ])
  })
})
