import { describe, expect, it } from 'vitest'
import { leftoverProblems, machineProblems, sizeProblems } from '../rules/text.ts'

describe('sizeProblems', () => {
  it('refuses a source file of more than 300 lines and leaves tests and prose alone', () => {
    const text = 'x\n'.repeat(301)
    expect(sizeProblems('packages/a/src/core/a.ts', text)).toEqual([
      'packages/a/src/core/a.ts: 301 lines; a source file has at most 300',
    ])
    expect(sizeProblems('packages/a/src/core/a.ts', 'x\n'.repeat(300))).toEqual([])
    expect(sizeProblems('packages/a/src/core/a.test.ts', text)).toEqual([])
    expect(sizeProblems('README.md', text)).toEqual([])
  })
})

// Put together here, so that the check doesn't find its own test.
const slash = '/'
const registry = ['registry', 'npmjs', 'org'].join('.')

describe('machineProblems', () => {
  it.each(['work', 'root', 'home', 'Users'])('finds paths below /%s', (folder) => {
    expect(machineProblems('a.ts', `read('${slash}${folder}/me/x')`)).toHaveLength(1)
    expect(machineProblems('a.md', `see ${slash}${folder}/x`)[0]).toContain('a.md:1')
  })

  it("finds registries' hosts and locked addresses", () => {
    expect(machineProblems('.npmrc', `r=https://${registry}/`)).toHaveLength(1)
    expect(
      machineProblems('pnpm-lock.yaml', 'resolution: {tarball: https://x.example/y.tgz}'),
    ).toHaveLength(1)
  })

  it('accepts addresses and paths that belong to nobody', () => {
    const text = "fetch('https://example.com/home/x'); open('./work/x'); route('/rooted')"
    expect(machineProblems('a.ts', text)).toEqual([])
  })
})

describe('leftoverProblems', () => {
  it.each([
    '// biome' + '-ignore lint: x',
    '// @ts' + '-ignore',
    '// TO' + 'DO: later',
    'a() // FIX' + 'ME',
  ])('finds %s', (line) => {
    expect(leftoverProblems('a.ts', `a()\n${line}`)).toEqual([expect.stringMatching(/^a\.ts:2: /)])
    expect(leftoverProblems('a.test.ts', line)).toEqual([])
  })

  it('accepts words that only look like it', () => {
    expect(leftoverProblems('a.ts', 'const todos = ignore(expectError)')).toEqual([])
  })
})
