import type { z } from 'zod'
import { formatPath, type Path, quote } from './path.ts'
import type { Problem } from './problem.ts'
import type { Source } from './source.ts'
import { suggest } from './suggest.ts'
import { type Found, find, isAbsent, type ValueNode } from './tree.ts'
import { factsOf, type IssueFacts, oneOf } from './wording.ts'

/** What is needed to say where an issue lies and how to set the value it misses. */
export interface IssueContext {
  readonly tree: ValueNode
  /** The environment variable that sets the value at a path, if one does. */
  readonly variableAt: (path: string) => string | undefined
  /** False when a file could not be read, so that nothing can be said to be missing. */
  readonly complete: boolean
}

/** All that is wrong with single values, taken out of the unions that zod reports it in. */
export function flattenIssues(issues: readonly z.core.$ZodIssue[]): readonly FlatIssue[] {
  return issues.flatMap((issue) => flatten(issue))
}

/** The problems that issues stand for. A value with a problem of its own gets no second one. */
export function toProblems(
  issues: readonly FlatIssue[],
  context: IssueContext,
): readonly Problem[] {
  return issues
    .filter(({ path }) => {
      const found = find(context.tree, path)
      return found.nearest.kind !== 'broken' && (context.complete || !isAbsent(found))
    })
    .flatMap((issue) => describe(issue, context))
}

/**
 * The places that have no value that can be relied on: those that are wrong, and those whose value was
 * probably written under the misspelt name beside them. A wrong name still is a name.
 */
export function unreliablePaths(issues: readonly FlatIssue[], tree: ValueNode): readonly Path[] {
  return issues.flatMap(({ code, path, keys, facts }): Path[] => {
    if (code === 'invalid_key') return []
    if (code !== 'unrecognized_keys') return [path]
    const meant = keys.flatMap((key) => suggest(key, facts.candidates ?? []) ?? [])
    return meant.map((key) => [...path, key]).filter((other) => isAbsent(find(tree, other)))
  })
}

/** An issue that needs no more looking into, with its path from the root. */
export interface FlatIssue {
  readonly code: z.core.$ZodIssue['code']
  readonly path: Path
  readonly message: string
  readonly facts: IssueFacts
  readonly keys: readonly string[]
}

function flatten(issue: z.core.$ZodIssue, above: Path = []): FlatIssue[] {
  const path: Path = [
    ...above,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ]
  const facts = factsOf(issue)
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
  const flat = { code: issue.code, path, message: issue.message, facts, keys }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues.map(
      (inner) => factsOf(inner).expected ?? inner.message.replace(/^expected /, ''),
    )
    return [
      { ...flat, message: `this name is not allowed: expected ${oneOf(expected)}`, facts: {} },
    ]
  }
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [flat]
  const branches = issue.errors.map((errors) => errors.flatMap((inner) => flatten(inner, path)))
  return bestBranch(branches, path) ?? [merge(flat, branches.flat())]
}

/**
 * The branch of a union that the value was probably meant for: the one whose complaints are all about
 * something within the value, not about what it is. Of several, the one that complains least.
 */
function bestBranch(branches: FlatIssue[][], path: Path): FlatIssue[] | undefined {
  const within = branches.filter((issues) =>
    issues.every((issue) => issue.path.length > path.length || issue.keys.length > 0),
  )
  return within.sort((one, other) => one.length - other.length)[0]
}

// No branch fits what the value is: then all that would have fitted is said in one sentence.
function merge(union: FlatIssue, issues: readonly FlatIssue[]): FlatIssue {
  const here = issues.filter((issue) => issue.path.length === union.path.length)
  const expected = oneOf(here.map(({ facts, message }) => facts.expected ?? message))
  const candidates = here.flatMap(({ facts }) => facts.candidates ?? [])
  const echo = here.every(({ facts }) => facts.echo || facts.got === undefined)
  const secret = here.some(({ facts }) => facts.echo === false)
  const facts: IssueFacts = { expected, candidates, echo: echo && !secret }
  return { ...union, message: `expected ${expected}`, facts }
}

function describe(issue: FlatIssue, context: IssueContext): Problem[] {
  if (issue.keys.length > 0) return issue.keys.map((key) => unknownKey(key, issue, context))
  const found = find(context.tree, issue.path)
  const { code = 'invalid_value', expected } = issue.facts
  const path = formatPath(issue.path)
  if (isAbsent(found) && expected !== undefined) return [missing(path, expected, found, context)]
  const suggestion = issue.facts.suggestion ?? likely(found, issue.facts)
  return [
    {
      code,
      path,
      message: withGot(issue, found),
      ...(expected === undefined ? {} : { expected }),
      ...(suggestion === undefined ? {} : { suggestion }),
      source: placeOf(found, undefined),
    },
  ]
}

/**
 * Where to send someone who has to change a value: to where it is written; else to the mapping in a file
 * that lacks it; else to the variable that can set it.
 */
export function placeOf(
  { node, nearest, keySource, inside }: Found,
  variable: string | undefined,
): Source {
  if (node?.kind === 'unset' && keySource) return keySource
  if (node || inside || nearest.source.kind === 'file') return nearest.source
  return variable === undefined ? { kind: 'default' } : { kind: 'env', name: variable }
}

function missing(path: string, expected: string, found: Found, context: IssueContext): Problem {
  const variable = context.variableAt(path)
  const remedy = variable ? `; set it here or in the variable ${variable}` : ''
  const empty = found.node ? 'has no value' : 'is required'
  const message = `${empty}: expected ${expected}${remedy}`
  const source = placeOf(found, variable)
  return { code: 'missing', path, message, expected, source }
}

function unknownKey(key: string, issue: FlatIssue, { tree }: IssueContext): Problem {
  const path = [...issue.path, key]
  const found = find(tree, path)
  const known = issue.facts.candidates ?? []
  const suggestion = suggest(key, known)
  const list = suggestion === undefined && known.length > 0 && known.length <= 12
  const message = list ? `unknown key; known here: ${known.join(', ')}` : 'unknown key'
  return {
    code: 'unknown_key',
    path: formatPath(path),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
    source: found.keySource ?? found.nearest.source,
  }
}

function likely({ node }: Found, { candidates }: IssueFacts): string | undefined {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string' || !candidates) return undefined
  return suggest(node.value, candidates)
}

function withGot(issue: FlatIssue, found: Found): string {
  if (issue.facts.expected === undefined) return issue.message
  const got =
    issue.facts.got ?? (found.node && describeValue(found.node, issue.facts.echo ?? false))
  const remedy = issue.facts.expected === 'text' && isBare(found.node) ? '; put it in quotes' : ''
  return got === undefined ? issue.message : `${issue.message}, got ${got}${remedy}`
}

function isBare(node: ValueNode | undefined): boolean {
  return node?.kind === 'scalar' && typeof node.value !== 'string'
}

// A value of this length is more likely a secret in the wrong place than a slip of the pen.
const LONGEST_ECHO = 32

function describeValue(node: ValueNode, echo: boolean): string | undefined {
  if (node.kind === 'mapping') return 'a mapping'
  if (node.kind === 'list') return 'a list'
  if (node.kind !== 'scalar') return undefined
  if (node.written !== undefined && echo) return `what ${quote(node.written)} expands to`
  if (typeof node.value !== 'string') return echo ? String(node.value) : `a ${typeof node.value}`
  if (echo && node.value.length <= LONGEST_ECHO) return quote(node.value)
  return echo ? `text of ${node.value.length} characters` : 'text'
}
