import { resolve } from 'node:path'
import type { ConfigDefinition, RootSchema } from './definition.ts'
import type { Environment } from './environment.ts'
import { expand } from './expand.ts'
import { type Leaf, variablesOf } from './leaves.ts'
import { formatPath, type Path } from './path.ts'
import type { Problem } from './problem.ts'
import { fileProblem, readText } from './read-text.ts'
import type { Profile, Source } from './source.ts'
import { emptyMapping, fromPlain, type MappingNode, overlay, put, type ValueNode } from './tree.ts'
import { parseYaml } from './yaml-file.ts'

/** What layers are made from. */
export interface LayerContext {
  readonly leaves: readonly Leaf[]
  readonly environment: Environment
  readonly profile: Profile
  readonly files: readonly string[]
  readonly cwd: string
}

/** The layers above the defaults, merged, and what is wrong with them apart from their values. */
export interface Layers {
  readonly tree: MappingNode
  readonly problems: readonly Problem[]
  /** False when nothing could be had of a file, so that what nobody wrote may stand there. */
  readonly complete: boolean
}

/** Lays files over the profile and the environment over both. */
export function mergeLayers(
  definition: ConfigDefinition<RootSchema>,
  context: LayerContext,
): Layers {
  const problems: Problem[] = []
  let tree = profileLayer(definition, context)
  let complete = true
  for (const file of context.files) {
    const layer = fileLayer(file, context, problems)
    if (layer) tree = overlayRoot(tree, layer)
    else complete = false
  }
  for (const leaf of context.leaves) tree = bind(tree, leaf, context.environment, problems)
  return { tree, problems, complete }
}

function profileLayer(
  definition: ConfigDefinition<RootSchema>,
  context: LayerContext,
): MappingNode {
  const { leaves, profile } = context
  const source: Source = { kind: 'profile', profile }
  let tree = emptyMapping({ kind: 'default' })
  for (const { path, meta } of leaves) {
    const value = meta?.profiles?.[profile]
    if (value !== undefined) tree = put(tree, path, fromPlain(value, source))
  }
  const own = fromPlain(definition.profiles?.[profile] ?? {}, source)
  return { ...overlayRoot(tree, own), source: { kind: 'default' } }
}

function overlayRoot(lower: MappingNode, upper: ValueNode): MappingNode {
  const merged = overlay(lower, upper)
  return merged.kind === 'mapping' ? merged : lower
}

function fileLayer(
  file: string,
  { environment, cwd }: LayerContext,
  problems: Problem[],
): ValueNode | undefined {
  const source: Source = { kind: 'file', file, line: 1, column: 1 }
  const read = readText(resolve(cwd, file))
  if (read.kind === 'absent')
    problems.push(fileProblem(source, 'file_unreadable', 'does not exist'))
  if (read.kind === 'problem') problems.push(fileProblem(source, read.code, read.message))
  if (read.kind !== 'text') return undefined
  const parsed = parseYaml(read.text, file)
  problems.push(...parsed.problems)
  return parsed.root && expandNode(parsed.root, [], environment, problems)
}

function expandNode(
  node: ValueNode,
  path: Path,
  environment: Environment,
  problems: Problem[],
): ValueNode {
  if (node.kind === 'list') {
    const items = node.items.map((item, at) =>
      expandNode(item, [...path, at], environment, problems),
    )
    return { ...node, items }
  }
  if (node.kind === 'mapping') {
    const entries = [...node.entries].map(([key, entry]) => {
      const expanded = expandNode(entry.node, [...path, key], environment, problems)
      return [key, { ...entry, node: expanded }] as const
    })
    return { ...node, entries: new Map(entries) }
  }
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return node
  const { source, value: written } = node
  const expansion = expand(written, (name) => environment.get(name)?.value)
  if (expansion.kind === 'text') {
    if (expansion.text === '') return { kind: 'unset', source }
    return { ...node, value: expansion.text, ...(expansion.expanded ? { written } : {}) }
  }
  problems.push(...expansionProblems(expansion, path, source, environment))
  return { kind: 'broken', source }
}

function expansionProblems(
  expansion: Exclude<ReturnType<typeof expand>, { kind: 'text' }>,
  path: Path,
  source: Source,
  environment: Environment,
): Problem[] {
  const at = { path: formatPath(path), source }
  if (expansion.kind === 'malformed') {
    const form = 'a name in braces, with or without :-default'
    const message = `malformed variable: expected ${form}; write $\${ for the characters $ and {`
    return [{ code: 'invalid_expansion', message, ...at }]
  }
  return expansion.names
    .filter((name) => !environment.isBroken(name))
    .map((name) => {
      const message = `the variable ${name} is not set; set it, or write \${${name}:-default}`
      return { code: 'unset_variable', message, ...at }
    })
}

function bind(
  tree: MappingNode,
  leaf: Leaf,
  environment: Environment,
  problems: Problem[],
): MappingNode {
  const names = variablesOf(leaf)
  const [first, ...others] = names.filter((name) => environment.get(name) !== undefined)
  const variable = first === undefined ? undefined : environment.get(first)
  if (variable === undefined) {
    const broken = names.find((name) => environment.isBroken(name))
    const source: Source = { kind: 'env', name: broken ?? '' }
    return broken ? put(tree, leaf.path, { kind: 'broken', source }) : tree
  }
  for (const name of others) {
    if (environment.get(name)?.value === variable.value) continue
    const message = `${first} and ${name} set the same value differently; remove one of them`
    const source = environment.get(name)?.source ?? variable.source
    problems.push({ code: 'ambiguous_variable', path: formatPath(leaf.path), message, source })
  }
  return put(tree, leaf.path, { kind: 'scalar', ...variable })
}
