import type { z } from 'zod'
import type { ConfigDefinition, Finding, RootSchema } from './definition.ts'
import { Environment, type Variables } from './environment.ts'
import { ConfigError } from './errors.ts'
import { freezeDeep } from './freeze.ts'
import { toProblems } from './issues.ts'
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
  const { env, files = [], cwd = '.', dotenv } = options
  const leaves = leavesOf(definition.schema)
  const known = new Set([PROFILE_VARIABLE, ...leaves.flatMap(variablesOf)])
  const environment = new Environment({ env, cwd, dotenv, known })
  const choice = chooseProfile(options.profile, environment)
  const context = { leaves, environment, profile: choice.profile, files, cwd }
  const layers = mergeLayers(definition, context)
  const parsed = definition.schema.safeParse(toPlain(layers.tree), { error: explain })
  const variableAt = createVariableIndex(leaves)
  const problems = [
    ...environment.problems,
    ...choice.problems,
    ...layers.problems,
    ...toProblems(parsed.error?.issues ?? [], { tree: layers.tree, variableAt }),
  ]
  const base = { name: definition.name, profile: choice.profile }
  const warnings = environment.misspelt()
  if (!parsed.success || problems.length > 0) {
    const report = createReport({ ...base, problems, warnings, origins: originsOf(layers.tree) })
    return { ok: false, profile: choice.profile, report }
  }
  const config = freezeDeep(parsed.data)
  const refined = refine(definition, config, choice.profile, layers.tree)
  const origins = originsOf(layers.tree, config)
  const report = createReport({
    ...base,
    problems: refined.problems,
    warnings: [...warnings, ...refined.warnings],
    origins,
  })
  if (refined.problems.length > 0) return { ok: false, profile: choice.profile, report }
  return { ok: true, config, profile: choice.profile, report }
}

function createVariableIndex(leaves: readonly Leaf[]): (path: string) => string | undefined {
  const index = new Map(leaves.map((leaf) => [formatPath(leaf.path), variablesOf(leaf)[0]]))
  return (path) => index.get(path)
}

function refine<S extends RootSchema>(
  definition: ConfigDefinition<S>,
  config: z.output<S>,
  profile: Profile,
  tree: MappingNode,
): { problems: Problem[]; warnings: Problem[] } {
  const findings = definition.refine?.(config, { profile }) ?? []
  const located = (severity: Finding['severity']): Problem[] =>
    findings
      .filter((finding) => (finding.severity ?? 'error') === severity)
      .map(({ severity: _, path, code = 'refused', ...rest }) => {
        const found = find(tree, path)
        return { ...rest, code, path: formatPath(path), source: found.nearest.source }
      })
  return { problems: located('error'), warnings: located('warning') }
}
