import { describe, expect, it } from 'vitest'
import { linkProblems } from '../rules/links.ts'
import { codeBlocks } from '../rules/readme.ts'

const fence = '```'

describe('linkProblems', () => {
  const there: Readonly<Record<string, string>> = {
    'docs/guide.md': '# The guide\n\n## Say `no`, twice\n\n## Same\n\n## Same\n',
    'docs/b': '',
  }
  const find = (text: string) => linkProblems('docs/a.md', text, (path) => there[path])

  it('accepts links to files, folders, headings and the web', () => {
    const text = `# Top
[1](guide.md) [2](./guide.md#say-no-twice) [3](#top) [4](https://example.com/x#y) [5](b)
[6](guide.md#same-1) [7](guide.md "title") [8](mailto:a@example.com)`
    expect(find(text)).toEqual([])
  })

  it('finds a link to nothing', () => {
    expect(find('[x](../gone.md)')).toEqual([
      'docs/a.md: links to ../gone.md, which does not exist',
    ])
    expect(find('![x](pictures/a.png)')).toHaveLength(1)
  })

  it('finds a link to a heading that is not there', () => {
    expect(find('[x](guide.md#gone)')).toHaveLength(1)
    expect(find('[x](#gone)')).toHaveLength(1)
  })

  it('reads no link in code', () => {
    expect(find(`\`[x](gone.md)\`\n\n${fence}md\n[x](gone.md)\n${fence}\n`)).toEqual([])
  })
})

describe('codeBlocks', () => {
  it('takes TypeScript fences with their lines and marks', () => {
    const text = `a\n${fence}ts\none()\n${fence}\n${fence}sh\nls\n${fence}\n${fence}ts no-run\ntwo()\n${fence}\n`
    expect(codeBlocks(text)).toEqual([
      { line: 3, code: 'one()\n', runs: true },
      { line: 9, code: 'two()\n', runs: false },
    ])
  })

  it('joins a continued fence to the one before it', () => {
    const text = `${fence}ts\none()\n${fence}\n\n${fence}ts continued\ntwo()\n${fence}\n`
    expect(codeBlocks(text)).toEqual([{ line: 2, code: 'one()\ntwo()\n', runs: true }])
  })
})
