import type { z } from 'zod'
import type { ConfigDefinition, Finding, RootSchema } from './definition.ts'
import { Environment, type Variables } from './environment.ts'
import { ConfigError } from './errors.ts'
import { freezeDeep } from './freeze.ts'
import { placeOf, toProblems } from './issues.ts'
import { mergeLayers } from './layers.ts'
import { type Leaf, leavesOf, variablesOf } from './leaves.ts'
import { originsOf } from './origins.ts'
import { formatPath } from './path.ts'
import type { Problem } from './problem.ts'
import { chooseProfile, PROFILE_VARIABLE } from './profile.ts'
import { createReport, type Report } from './report.ts'
import type { Profile } from './source.ts'
import { find, type MappingNode, toPlain } from './tree.ts'
import { explain } from './wording.ts'

/** Where a configuration is read from. */
export interface LoadOptions {
  /** The environment: a program passes `process.env`. */
  readonly env: Variables
  /** YAML or JSON files; a later one is merged over an earlier one. Each must exist. */
  readonly files?: readonly string[]
  /** The profile; unless given, what the variable `ENVIRONMENT` says, or `development`. */
  readonly profile?: string
  /** What relative paths start from. The process's directory unless given. */
  readonly cwd?: string
  /** The `.env` file, which must exist, or false for none. Unless given, `.env` if there is one. */
  readonly dotenv?: string | false
}

/** A configuration that can be used. */
export interface LoadedConfig<Config> {
  /** Frozen at every depth. */
  readonly config: Config
  readonly profile: Profile
  readonly report: Report
}

/** What {@link checkConfig} found. */
export type CheckedConfig<Config> =
  | ({ readonly ok: true } & LoadedConfig<Config>)
  | { readonly ok: false; readonly profile: Profile; readonly report: Report }

/**
 * Reads, merges and validates a configuration. Precedence, lowest first: defaults, profile, files in
 * their order, `.env`, environment, the files that `NAME_FILE` variables point at.
 *
 * @throws {ConfigError} with every problem at once when there is any.
 */
export function loadConfig<S extends RootSchema>(
  definition: ConfigDefinition<S>,
  options: LoadOptions,
): LoadedConfig<z.output<S>> {
  const checked = checkConfig(definition, options)
  if (!checked.ok) throw new ConfigError(checked.report)
  const { config, profile, report } = checked
  return { config, profile, report }
}

/** Does what {@link loadConfig} does, and answers with the report instead of throwing it. */
export function checkConfig<S extends RootSchema>(
  definition: ConfigDefinition<S>,
  options: LoadOptions,
): CheckedConfig<z.output<S>> {
  const gathered = gather(definition, options)
  const { profile, tree, warnings } = gathered
  const parsed = definition.schema.safeParse(toPlain(tree), { error: explain })
  const problems = [...gathered.problems, ...toProblems(parsed.error?.issues ?? [], gathered)]
  const base = { name: definition.name, profile, files: options.files ?? [] }
  if (!parsed.success || problems.length > 0) {
    const report = createReport({ ...base, problems, warnings, origins: originsOf(tree) })
    return { ok: false, profile, report }
  }
  const config = freezeDeep(parsed.data)
  const refined = refine(definition, config, gathered)
  const report = createReport({
    ...base,
    problems: refined.problems,
    warnings: [...warnings, ...refined.warnings],
    origins: originsOf(tree, config),
  })
  return report.problems.length > 0
    ? { ok: false, profile, report }
    : { ok: true, config, profile, report }
}

/** All that was written, not yet validated. */
interface Gathered {
  readonly profile: Profile
  readonly tree: MappingNode
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly variableAt: (path: string) => string | undefined
}

function gather(definition: ConfigDefinition<RootSchema>, options: LoadOptions): Gathered {
  const { env, files = [], cwd = '.', dotenv } = options
  const leaves = leavesOf(definition.schema)
  const known = new Set([PROFILE_VARIABLE, ...leaves.flatMap(variablesOf)])
  const environment = new Environment({ env, cwd, dotenv, known })
  const choice = chooseProfile(options.profile, environment)
  const context = { leaves, environment, profile: choice.profile, files, cwd }
  const layers = mergeLayers(definition, context)
  return {
    profile: choice.profile,
    tree: layers.tree,
    problems: [...environment.problems, ...choice.problems, ...layers.problems],
    warnings: environment.misspelt(),
    variableAt: createVariableIndex(leaves),
  }
}

function createVariableIndex(leaves: readonly Leaf[]): (path: string) => string | undefined {
  const index = new Map(leaves.map((leaf) => [formatPath(leaf.path), variablesOf(leaf)[0]]))
  return (path) => index.get(path)
}

function refine<S extends RootSchema>(
  definition: ConfigDefinition<S>,
  config: z.output<S>,
  gathered: Gathered,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const findings = definition.refine?.(config, { profile: gathered.profile }) ?? []
  const [problems, warnings] = (['error', 'warning'] as const).map((wanted) =>
    findings
      .filter(({ severity = 'error' }) => severity === wanted)
      .map((finding) => locate(finding, gathered)),
  )
  return { problems: problems ?? [], warnings: warnings ?? [] }
}

function locate({ severity: _, ...finding }: Finding, { tree, variableAt }: Gathered): Problem {
  const path = formatPath(finding.path)
  const source = placeOf(find(tree, finding.path), variableAt(path))
  return { ...finding, code: finding.code ?? 'refused', path, source }
}
