import { builtinModules } from 'node:module'
import { dirname, posix } from 'node:path'
import ts from 'typescript'
import type { Check } from '../check.ts'
import { type Manifest, type Project, projects, readText, repositoryFiles } from '../workspace.ts'

/** Leaf packages know no sibling. These two exist to bring siblings together. */
const mayUseSiblings = new Set(['packages/server', 'packages/client'])

/** The files that may reach the process: its environment, signals, arguments and exit. */
const ownsProcess = /^apps\/[^/]+\/(src\/(main|cli)\.ts$|src\/cli\/|scripts\/)/
const isTest = /(\.(test|test-d|fixture)\.ts$|^[^/]+\/[^/]+\/test\/)/

export interface Source {
  readonly path: string
  readonly text: string
}

/**
 * Finds imports that break "who may know whom", and hands on the process where only an app's start may
 * have them.
 *
 * @param tools what the root declares: tests and build configurations of every project may use it
 */
export function importProblems(
  all: readonly Project[],
  sources: readonly Source[],
  tools: readonly string[] = [],
): readonly string[] {
  const problems: string[] = []
  for (const source of sources) {
    const owner = all.find(({ dir }) => source.path.startsWith(`${dir}/`))
    if (owner === undefined) continue
    for (const specifier of importsOf(source)) {
      const complaint = specifier.startsWith('.')
        ? relativeComplaint(owner, source.path, specifier)
        : packageComplaint(all, owner, source.path, specifier, tools)
      if (complaint !== undefined)
        problems.push(`${source.path}: imports ${specifier}: ${complaint}`)
    }
    problems.push(...processProblems(source))
  }
  return [...problems, ...indexProblems(all, sources)]
}

function importsOf({ text }: Source): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

function relativeComplaint(owner: Project, path: string, specifier: string): string | undefined {
  const target = posix.join(dirname(path), specifier)
  if (!target.startsWith(`${owner.dir}/`)) {
    return target.startsWith('tooling/') && !path.startsWith(`${owner.dir}/src/`)
      ? undefined
      : 'another project is imported by its name, never by its path'
  }
  const inRoom = /^packages\/[^/]+\/src\/[^/]+\//.test(path)
  const isDoor = /^packages\/[^/]+\/src\/[^/]+\.ts$/.test(target)
  if (inRoom && isDoor && !isTest.test(path)) return 'a room never imports a door; name the room'
  return undefined
}

function packageComplaint(
  all: readonly Project[],
  owner: Project,
  path: string,
  specifier: string,
  tools: readonly string[],
): string | undefined {
  if (specifier.startsWith('/')) return 'an absolute path exists on one machine only'
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return undefined
  const name = packageName(specifier)
  const target = all.find(({ manifest }) => manifest.name === name)
  if (target?.dir.startsWith('apps/')) return 'apps are never imported'
  if (target !== undefined && owner.dir.startsWith('packages/')) {
    const complaint = siblingComplaint(owner, target, path)
    if (complaint !== undefined) return complaint
  }
  const development = isDevelopmentFile(owner, path)
  if (development && tools.includes(name)) return undefined
  if (!declared(owner.manifest, development).has(name)) {
    return `declare ${name} in ${owner.dir}/package.json`
  }
  if (isCore(path) && optionalPeers(owner.manifest).has(name)) {
    return `${name} is an optional peer; adapt it in a room of its own, not in core`
  }
  return undefined
}

function siblingComplaint(owner: Project, target: Project, path: string): string | undefined {
  if (target.dir === owner.dir) return 'inside a package, import the file'
  if (target.dir.startsWith('tooling/')) {
    return isTest.test(path) ? undefined : 'tooling is for tests only'
  }
  return mayUseSiblings.has(owner.dir) ? undefined : 'leaf packages never import each other'
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function isDevelopmentFile({ dir }: Project, path: string): boolean {
  return isTest.test(path) || !path.startsWith(`${dir}/src/`)
}

function isCore(path: string): boolean {
  return /^packages\/[^/]+\/src\/core\//.test(path) && !isTest.test(path)
}

function declared(manifest: Manifest, development: boolean): ReadonlySet<string> {
  const { dependencies, peerDependencies, devDependencies } = manifest
  const used = development ? devDependencies : {}
  return new Set(Object.keys({ ...dependencies, ...peerDependencies, ...used }))
}

function optionalPeers({ peerDependenciesMeta = {} }: Manifest): ReadonlySet<string> {
  const names = Object.entries(peerDependenciesMeta).filter(([, meta]) => meta.optional === true)
  return new Set(names.map(([name]) => name))
}

/** A package's main door has to open without any optional peer installed, through whatever room. */
function indexProblems(all: readonly Project[], sources: readonly Source[]): readonly string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  return all
    .filter(({ dir }) => dir.startsWith('packages/'))
    .flatMap(({ dir, manifest }) => {
      const peers = optionalPeers(manifest)
      const reached = new Set([`${dir}/src/index.ts`])
      const problems: string[] = []
      for (const path of reached) {
        const source = byPath.get(path)
        if (source === undefined) continue
        for (const specifier of importsOf(source)) {
          if (specifier.startsWith('.')) reached.add(posix.join(dirname(path), specifier))
          else if (peers.has(packageName(specifier))) {
            problems.push(
              `${path}: is reached from ${dir}/src/index.ts and imports ${specifier}, an optional peer`,
            )
          }
        }
      }
      return problems
    })
}

const reserved = new Set(['env', 'on', 'once', 'exit', 'exitCode', 'argv', 'kill', 'chdir'])

function processProblems({ path, text }: Source): readonly string[] {
  const isShipped = /^(packages|apps)\/[^/]+\/src\//.test(path)
  if (!isShipped || isTest.test(path) || ownsProcess.test(path)) return []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const problems: string[] = []
  const visit = (node: ts.Node): void => {
    const use = processUse(node)
    if (use !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
      problems.push(
        `${path}:${line}: ${use}: only an app's main.ts and cli touch the process; take it as an argument`,
      )
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return problems
}

function processUse(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return /^(node:)?process$/.test(node.moduleSpecifier.text)
      ? 'import of node:process'
      : undefined
  }
  if (!ts.isPropertyAccessExpression(node)) return undefined
  const { expression, name } = node
  if (!ts.isIdentifier(expression) || expression.text !== 'process') return undefined
  return reserved.has(name.text) && !listensForExit(node) ? `process.${name.text}` : undefined
}

/** Tidying up when the process ends takes nothing from the app; a signal's handler would. */
function listensForExit({ parent }: ts.PropertyAccessExpression): boolean {
  const event = ts.isCallExpression(parent) ? parent.arguments[0] : undefined
  return event !== undefined && ts.isStringLiteral(event) && event.text === 'exit'
}

export const imports: Check = {
  name: 'imports',
  problems: () => {
    const files = repositoryFiles()
    const sources = files
      .filter((file) => /^(packages|apps|examples|tooling)\/.+\.m?ts$/.test(file))
      .map((path) => ({ path, text: readText(path) }))
    const { devDependencies = {} } = JSON.parse(readText('package.json')) as Manifest
    return importProblems(projects(files), sources, Object.keys(devDependencies))
  },
}
