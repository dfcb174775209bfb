import { z } from 'zod'
import type { ConfigDefinition, Finding, RootSchema } from './definition.ts'
import { conceal, salvage } from './draft.ts'
import type { Environment } from './environment.ts'
import { flattenIssues, placeOf, toProblems, unreliablePaths } from './issues.ts'
import { known } from './known.ts'
import { type Layers, mergeLayers } from './layers.ts'
import { type Leaf, variablesOf } from './leaves.ts'
import { originsOf } from './origins.ts'
import { formatPath, type Path } from './path.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Origin } from './report.ts'
import type { Profile } from './source.ts'
import { brokenPaths, find, isAbsent, toPlain } from './tree.ts'
import { explain } from './wording.ts'

/** What a configuration is read by and from. */
export interface Reading<S extends RootSchema> {
  readonly definition: ConfigDefinition<S>
  readonly leaves: readonly Leaf[]
  readonly environment: Environment
  readonly files: readonly string[]
  readonly cwd: string
}

/** All that reading gave for one profile. */
export interface ReadConfig<Config> {
  /** Undefined when a single value is wrong. */
  readonly config: Config | undefined
  /** The configuration; what is wrong can't be read. */
  readonly draft: Config
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly origins: readonly Origin[]
}

/** Merges the layers, checks each value, and asks the rules about all that is right. */
export function read<S extends RootSchema>(
  reading: Reading<S>,
  profile: Profile,
): ReadConfig<z.output<S>> {
  const { definition } = reading
  const layers = mergeLayers(definition, { ...reading, profile })
  const written = toPlain(layers.tree)
  const parsed = z.safeParse(definition.schema, written, { error: explain })
  const { value, unseen } = parsed.success
    ? { value: parsed.data, unseen: [] }
    : salvage(definition.schema, written)
  const issues = flattenIssues([...(parsed.error?.issues ?? []), ...unseen])
  const wrong = [...brokenPaths(layers.tree), ...unreliablePaths(issues, layers.tree)]
    .map((path) => formatPath(path))
    .concat(layers.problems.filter(({ code }) => AMBIGUOUS.has(code)).map(({ path }) => path))
  // What the schema gives is the type; what it refuses of it throws when it is read.
  const draft = conceal(value, createWrong(wrong, layers)) as z.output<S>
  const variableAt = createVariableIndex(reading.leaves)
  const asked = [definition.refine ?? []].flat()
  const findings = asked.flatMap((rule) => known(() => rule(draft, { profile })) ?? [])
  const found = (wanted: Finding['severity']): Problem[] =>
    findings
      .filter(({ severity = 'error' }) => severity === wanted)
      .map((finding) => locate(finding, layers, variableAt))
  const problems = [...layers.problems, ...toProblems(issues, { ...layers, variableAt })]
  const isRight = parsed.success && problems.length === 0 && wrong.length === 0 && layers.complete
  const config = isRight ? draft : undefined
  return {
    config,
    draft,
    problems: [...problems, ...found('error')],
    warnings: found('warning'),
    origins: originsOf(layers.tree, config),
  }
}

/** Of two values given for one place, either may be the wrong one. */
const AMBIGUOUS: ReadonlySet<ProblemCode> = new Set(['ambiguous_variable', 'duplicate_key'])

function createWrong(
  paths: readonly string[],
  { tree, complete }: Layers,
): (path: Path) => boolean {
  const wrong = new Set(paths)
  const all = wrong.has(formatPath([]))
  // A file that could not be read may say all that no other layer does.
  const isUnread = (path: Path): boolean => !complete && isAbsent(find(tree, path))
  return (path) => all || wrong.has(formatPath(path)) || isUnread(path)
}

function createVariableIndex(leaves: readonly Leaf[]): (path: string) => string | undefined {
  const index = new Map(leaves.map((leaf) => [formatPath(leaf.path), variablesOf(leaf)[0]]))
  return (path) => index.get(path)
}

function locate(
  { severity: _, ...finding }: Finding,
  { tree }: Layers,
  variableAt: (path: string) => string | undefined,
): Problem {
  const path = formatPath(finding.path)
  const source = placeOf(find(tree, finding.path), variableAt(path))
  return { ...finding, code: finding.code ?? 'refused', path, source }
}
