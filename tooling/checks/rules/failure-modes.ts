import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import type { Check } from '../check.ts'
import { readText, root } from '../workspace.ts'

const page = 'docs/guide/failure-modes.md'
const separator = ' › '

/** A test's full title, outermost `describe` first; each part matches what runs under it. */
type TitlePath = readonly RegExp[]

/** Finds lines of the page's tables that name no test, or one that isn't there. */
export function failureModeProblems(
  path: string,
  text: string,
  read: (file: string) => string | undefined,
): readonly string[] {
  const titles = new Map<string, readonly TitlePath[]>()
  const titlesOf = (file: string, source: string) => {
    const known = titles.get(file) ?? testTitles(source)
    titles.set(file, known)
    return known
  }
  const problemOf = (reference: string): string | undefined => {
    const [file = '', ...wanted] = reference.split(separator)
    const source = /\.test\.ts$/.test(file) ? read(file) : undefined
    if (source === undefined) return `there is no test file ${file}`
    const isThere = titlesOf(file, source).some((title) => matches(title, wanted))
    return isThere ? undefined : `${file} has no test "${wanted.join(separator)}"`
  }
  return text.split('\n').flatMap((line, index, lines) => {
    if (!isTableRow(line, lines[index + 1])) return []
    const where = `${path}:${index + 1}`
    const references = [...line.matchAll(/`([^`]+ › [^`]+)`/g)].map(([, found = '']) => found)
    if (references.length === 0) {
      return [`${where}: no test proves this line; name one: \`path › describe › it\``]
    }
    return references.flatMap((reference) => {
      const problem = problemOf(reference)
      return problem === undefined ? [] : [`${where}: ${problem}`]
    })
  })
}

const isRule = (line: string | undefined) => /^\|[\s|:-]+\|$/.test(line ?? '')

function isTableRow(line: string, after: string | undefined): boolean {
  return line.startsWith('|') && !isRule(line) && !isRule(after)
}

function matches(title: TitlePath, wanted: readonly string[]): boolean {
  return title.length === wanted.length && title.every((part, at) => part.test(wanted[at] ?? ''))
}

/** The titles of all tests of a source file, as vitest nests them. */
function testTitles(source: string): readonly TitlePath[] {
  const found: TitlePath[] = []
  const visit = (node: ts.Node, above: TitlePath): void => {
    const call = ts.isCallExpression(node) ? titledCall(node) : undefined
    if (call === undefined) return void ts.forEachChild(node, (child) => visit(child, above))
    const title = [...above, call.title]
    if (call.kind === 'test') found.push(title)
    else ts.forEachChild(node, (child) => visit(child, title))
  }
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest), [])
  return found
}

function titledCall(
  call: ts.CallExpression,
): { readonly kind: 'suite' | 'test'; readonly title: RegExp } | undefined {
  const [first] = call.arguments
  const name = calledName(call.expression)
  if (first === undefined || !['describe', 'it', 'test'].includes(name)) return undefined
  const title = titlePattern(first)
  return title === undefined ? undefined : { kind: name === 'describe' ? 'suite' : 'test', title }
}

/** `it` of `it(…)`, `it.concurrent(…)` and `it.each(…)(…)`; the call that only takes the table has no title. */
function calledName(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text
  if (ts.isCallExpression(expression)) return calledName(expression.expression)
  if (!ts.isPropertyAccessExpression(expression)) return ''
  return calledName(expression.expression)
}

function titlePattern(node: ts.Expression): RegExp | undefined {
  if (ts.isStringLiteralLike(node)) return pattern([node.text])
  if (!ts.isTemplateExpression(node)) return undefined
  return pattern([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)])
}

/** What stands in a title for a value of its table, or is put in between two pieces, may be anything. */
function pattern(pieces: readonly string[]): RegExp {
  const escaped = pieces.map((piece) =>
    piece.split(/%[sdifjo]|\$\w+/).map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')),
  )
  return new RegExp(`^${escaped.map((piece) => piece.join('.+')).join('.+')}$`)
}

function readTest(file: string): string | undefined {
  return existsSync(join(root, file)) ? readText(file) : undefined
}

export const failureModes: Check = {
  name: 'failure-modes',
  problems: () => failureModeProblems(page, readText(page), readTest),
}
