import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import type { Check } from '../check.ts'
import { inPairs, run } from '../command.ts'
import { projects, readText, repositoryFiles, root } from '../workspace.ts'

const runLimitMs = 20_000

/** Where code of documents that belong to no package is compiled: a project that depends on all of them. */
const commonHome = 'tooling/checks'

/** Documents for those who work on the repository: their code is a sketch inside something larger. */
const notForUsers = /^(\.changeset|tooling|bench)\//

export interface Block {
  /** The line of the document on which the code begins, from 1. */
  readonly line: number
  readonly code: string
  readonly runs: boolean
}

/**
 * The TypeScript of a document. A fence is one program: ` ```ts ` is compiled and run, ` ```ts no-run `
 * only compiled, and ` ```ts continued ` goes on where the fence before it ended.
 */
export function codeBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^```ts\b([^\n]*)\n([\s\S]*?)^```/gm)) {
    const [, words = '', code = ''] = match
    const marks = words.trim().split(/\s+/)
    const line = markdown.slice(0, match.index).split('\n').length + 1
    const before = blocks.at(-1)
    if (marks.includes('continued') && before !== undefined) {
      const joined = { ...before, code: before.code + code }
      blocks[blocks.length - 1] = { ...joined, runs: before.runs && !marks.includes('no-run') }
    } else {
      blocks.push({ line, code, runs: !marks.includes('no-run') })
    }
  }
  return blocks
}

interface Document {
  readonly path: string
  readonly text: string
}

/** Compiles and runs the documents' code inside `home`, where its imports resolve as its users' will: to `dist`. */
export async function codeProblems(
  home: string,
  documents: readonly Document[],
): Promise<readonly string[]> {
  const programs = documents.flatMap(({ path, text }) =>
    codeBlocks(text).map((block) => ({ ...block, path, file: fileName(path, block.line) })),
  )
  if (programs.length === 0) return []
  const parent = join(root, home, '.readme')
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'code-'))
  try {
    await writeFile(join(folder, 'tsconfig.json'), compilerOptions(folder))
    for (const { file, code } of programs) await writeFile(join(folder, file), code)
    const compiled = await run('tsc', ['--pretty', 'false', '-p', folder])
    if (!compiled.ok) return [compiled.output]
    const env = { HOME: folder, TMPDIR: folder }
    const results = await inPairs(
      programs.filter(({ runs }) => runs),
      async ({ path, line, file }) => {
        const options = { cwd: folder, env, timeoutMs: runLimitMs }
        const result = await run(process.execPath, [join(folder, file)], options)
        return result.ok ? [] : [`${path}:${line}: the example fails:\n${result.output}`]
      },
    )
    return results.flat()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The compiler's complaints name this file, so it names the document and the line to look at. */
function fileName(path: string, line: number): string {
  return `${basename(path, '.md')}-${path.split('/').length}-from-line-${line}.ts`
}

function compilerOptions(folder: string): string {
  return JSON.stringify({
    extends: join(relative(folder, root), 'tsconfig.base.json'),
    compilerOptions: {
      customConditions: [],
      moduleDetection: 'force',
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    include: ['*.ts'],
  })
}

export const readme: Check = {
  name: 'readme',
  problems: async () => {
    const files = repositoryFiles()
    const homes = new Map<string, Document[]>()
    const owners = projects(files).map(({ dir }) => dir)
    for (const path of files) {
      if (!path.endsWith('.md') || notForUsers.test(path)) continue
      const home = owners.find((dir) => path.startsWith(`${dir}/`)) ?? commonHome
      homes.set(home, [...(homes.get(home) ?? []), { path, text: readText(path) }])
    }
    const found = await inPairs([...homes], ([home, documents]) => codeProblems(home, documents))
    return found.flat()
  },
}
