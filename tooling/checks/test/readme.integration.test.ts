import { describe, expect, it } from 'vitest'
import { codeProblems } from '../rules/readme.ts'

const fence = '```'

describe('codeProblems', () => {
  const find = (code: string, mark = '') =>
    codeProblems('tooling/checks', [
      { path: 'X.md', text: `${fence}ts${mark}\n${code}\n${fence}\n` },
    ])

  it('accepts code that compiles and runs', async () => {
    expect(await find("import { equal } from 'node:assert/strict'\nequal(1 + 1, 2)")).toEqual([])
  })

  it('finds code that does not compile, also where it is not run', async () => {
    const found = await find('const a: number = "x"', ' no-run')
    expect(found.join()).toMatch(/X-1-from-line-2\.ts\(1,7\): error TS2322/)
  })

  it('finds code that fails when run', async () => {
    const found = await find("throw new Error('it broke')")
    expect(found.join()).toMatch(/X\.md:2: the example fails:[\s\S]*it broke/)
  })
})
