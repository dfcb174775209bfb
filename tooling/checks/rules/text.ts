import type { Check } from '../check.ts'
import { readText, repositoryFiles } from '../workspace.ts'

const maxLines = 300

const isSource = /\.(m?[jt]s|tsx|jsx)$/
const isTest = /(\.test(-d)?\.ts$|\/test\/)/
const isBinary = /\.(png|jpe?g|gif|ico|webp|woff2?|gz|tgz|zip|wasm|pdf)$/

/** Finds source files longer than a reader's patience. */
export function sizeProblems(path: string, text: string): readonly string[] {
  if (!isSource.test(path) || isTest.test(path)) return []
  const lines = text.trimEnd().split('\n').length
  return lines > maxLines ? [`${path}: ${lines} lines; a source file has at most ${maxLines}`] : []
}

// Written in parts so that this file doesn't find itself.
const folders = ['work', 'root', 'home', 'Users'].join('|')
const machinePath = new RegExp(`(^|[\\s"'\`(=:,])/(${folders})/[\\w.-]`)
const registryHost = new RegExp(
  ['\\bregistry\\.(npmjs|yarnpkg|npmmirror)\\.\\w+', '\\bnpm\\.pkg\\.'].join('|'),
)
const isLockfile = /(^|\/)[\w-]*lock[\w-]*\.(ya?ml|json)$/
const lockedAddress = /\btarball: *['"]?https?:/

/** Finds paths of somebody's machine and addresses of somebody's registry. */
export function machineProblems(path: string, text: string): readonly string[] {
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${path}:${index + 1}`
    if (machinePath.test(line))
      problems.push(`${where}: names a path of one machine: ${excerpt(line)}`)
    if (registryHost.test(line) || (isLockfile.test(path) && lockedAddress.test(line))) {
      problems.push(`${where}: names a registry's host: ${excerpt(line)}`)
    }
  }
  return problems
}

// Also in parts: what is left for later belongs in the tracker, and a rule that is wrong in its config.
const leftover = new RegExp(
  [
    'biome-' + 'ignore',
    '@ts-' + '(ignore|nocheck|expect-error)',
    '\\b(TO' + 'DO|FIX' + 'ME)\\b',
  ].join('|'),
)

/** Finds work put off and rules switched off in place. Tests may expect an error of the compiler. */
export function leftoverProblems(path: string, text: string): readonly string[] {
  if (!isSource.test(path) || isTest.test(path)) return []
  return text.split('\n').flatMap((line, index) => {
    const found = leftover.exec(line)?.[0]
    return found === undefined
      ? []
      : [`${path}:${index + 1}: holds "${found}": do it, or decide it`]
  })
}

function excerpt(line: string): string {
  return line.trim().slice(0, 100)
}

function onEachFile(name: string, find: (path: string, text: string) => readonly string[]): Check {
  return {
    name,
    problems: () =>
      repositoryFiles()
        .filter((file) => !isBinary.test(file))
        .flatMap((file) => find(file, readText(file))),
  }
}

export const sizes: Check = onEachFile('sizes', sizeProblems)
export const leftovers: Check = onEachFile('leftovers', leftoverProblems)
export const machines: Check = onEachFile('machines', machineProblems)
