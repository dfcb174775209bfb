import { join } from 'node:path'
import ts from 'typescript'
import type { Check } from '../check.ts'
import { run } from '../command.ts'
import { type Project, projects, readText, repositoryFiles, root } from '../workspace.ts'

// The formatter gives each name of a long list a line of its own.
const maxDoorLines = 60

export interface Doors {
  readonly dir: string
  /** File name → text of what lies directly in `src/`. */
  readonly files: ReadonlyMap<string, string>
  readonly exports: Readonly<Record<string, unknown>>
  /** tsup's entries: output name → source file. */
  readonly entries: Readonly<Record<string, string>>
}

/** Finds where the files in `src/`, the `exports` keys and the bundler's entries disagree, and doors that are more than a list of names. */
export function doorProblems({ dir, files, exports, entries }: Doors): readonly string[] {
  const problems: string[] = []
  const keys = Object.keys(exports).filter((key) => key !== './package.json')
  const exported = new Set(keys.map((key) => (key === '.' ? 'index' : key.slice(2))))
  for (const [file, text] of files) {
    const path = `${dir}/src/${file}`
    const door = file.replace(/\.ts$/, '')
    if (file.endsWith('.test.ts')) {
      problems.push(
        `${path}: tests live beside their code in a room (src/core/…), not among the doors`,
      )
    } else if (!file.endsWith('.ts') || !exported.has(door)) {
      problems.push(`${path}: is no key of "exports"; export it or move it into a room`)
    } else {
      problems.push(...contentProblems(path, text))
    }
  }
  for (const door of exported) {
    const key = door === 'index' ? '.' : `./${door}`
    if (!files.has(`${door}.ts`)) {
      problems.push(`${dir}/package.json: exports "${key}" has no door src/${door}.ts`)
    }
    if (entries[door] !== `src/${door}.ts`) {
      problems.push(`${dir}/tsup.config.ts: no entry ${door} → src/${door}.ts for exports "${key}"`)
    }
    problems.push(...targetProblems(dir, key, door, exports[key]))
  }
  for (const entry of Object.keys(entries)) {
    if (!exported.has(entry)) problems.push(`${dir}/tsup.config.ts: entry ${entry} is not exported`)
  }
  return problems
}

function targetProblems(
  dir: string,
  key: string,
  door: string,
  target: unknown,
): readonly string[] {
  const expected = {
    '@tidegate/source': `./src/${door}.ts`,
    types: `./dist/${door}.d.ts`,
    default: `./dist/${door}.js`,
  }
  // The order of conditions is their meaning, so the text is compared and not the members.
  return JSON.stringify(target) === JSON.stringify(expected)
    ? []
    : [`${dir}/package.json: exports "${key}" has to be ${JSON.stringify(expected)}`]
}

function contentProblems(path: string, text: string): readonly string[] {
  const problems: string[] = []
  const lines = text.trimEnd().split('\n').length
  if (lines > maxDoorLines) {
    problems.push(`${path}: ${lines} lines; a door has at most ${maxDoorLines}`)
  }
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  for (const statement of source.statements) {
    if (isNamedReexport(statement)) continue
    const line = source.getLineAndCharacterOfPosition(statement.getStart()).line + 1
    problems.push(
      `${path}:${line}: a door only names what it exports: export { x } from './core/x.ts'`,
    )
  }
  return problems
}

function isNamedReexport(statement: ts.Statement): boolean {
  if (!ts.isExportDeclaration(statement)) return false
  const { exportClause, moduleSpecifier } = statement
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return false
  return /^\.\/[^./][^/]*\/.+\.ts$/.test(moduleSpecifier.text)
}

/** Asks the bundler's own configuration, as it is evaluated from the package's folder. */
async function readEntries(dir: string): Promise<Readonly<Record<string, string>>> {
  const script = `const { default: config } = await import('./tsup.config.ts'); console.log(JSON.stringify(config.entry))`
  const cwd = join(root, dir)
  const read = await run(process.execPath, ['--input-type=module', '-e', script], { cwd })
  if (!read.ok) throw new Error(`${dir}/tsup.config.ts can't be read:\n${read.output}`)
  return JSON.parse(read.stdout) as Readonly<Record<string, string>>
}

async function doorsOf(project: Project, files: readonly string[]): Promise<Doors> {
  const prefix = `${project.dir}/src/`
  const names = files
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.slice(prefix.length))
    .filter((file) => !file.includes('/'))
  return {
    dir: project.dir,
    files: new Map(names.map((name) => [name, readText(prefix + name)])),
    exports: project.manifest.exports ?? {},
    entries: await readEntries(project.dir),
  }
}

export const doors: Check = {
  name: 'doors',
  problems: async () => {
    const files = repositoryFiles()
    const packages = projects(files).filter(({ dir }) => dir.startsWith('packages/'))
    const found = await Promise.all(packages.map((project) => doorsOf(project, files)))
    return found.flatMap(doorProblems)
  },
}
