import { describe, expect, it } from 'vitest'
import { failureModeProblems } from '../rules/failure-modes.ts'

const tests = `
describe('while Redis hangs', { timeout: 1 }, () => {
  it('a request waits once', async () => {})
  it.each(['dies', 'hangs'])('(%s) is told', async (what) => {})
  for (const what of list) it(\`answers when it \${what}\`, async () => {})
  describe.each(protocols)('over %s', () => { it.concurrent('too', () => {}) })
})
it.runIf(linux)('stands alone (100 %)', () => {})
`
const read = (file: string) => (file === 'a/x.test.ts' ? tests : undefined)

function problemsOf(...rows: readonly string[]): readonly string[] {
  const lines = ['# Page', '', '| When | Proof |', '|---|---|', ...rows, '', 'Text | with bars']
  return failureModeProblems('page.md', lines.join('\n'), read)
}

describe('failureModeProblems', () => {
  it.each([
    'a/x.test.ts › while Redis hangs › a request waits once',
    'a/x.test.ts › while Redis hangs › (dies) is told',
    'a/x.test.ts › while Redis hangs › answers when it forgets everything',
    'a/x.test.ts › while Redis hangs › over TLS › too',
    'a/x.test.ts › stands alone (100 %)',
  ])('finds the test %s', (reference) => {
    expect(problemsOf(`| it hangs | \`${reference}\` |`)).toEqual([])
  })

  it('tells of a line that names no test, and of each test that is not there', () => {
    const known = '`a/x.test.ts › while Redis hangs › a request waits once`'
    expect(
      problemsOf(
        '| it hangs | surely |',
        `| it dies | ${known}, \`a/x.test.ts › a request waits once\` |`,
        '| it is slow | `a/y.test.ts › anything` |',
        '| it returns | `a/x.test.ts › while Redis hangs` |',
      ),
    ).toEqual([
      'page.md:5: no test proves this line; name one: `path › describe › it`',
      'page.md:6: a/x.test.ts has no test "a request waits once"',
      'page.md:7: there is no test file a/y.test.ts',
      'page.md:8: a/x.test.ts has no test "while Redis hangs"',
    ])
  })
})
