import type { z } from 'zod'
import type { ConfigDefinition, RootSchema } from './definition.ts'
import { Environment, type Variables } from './environment.ts'
import { ConfigError } from './errors.ts'
import { leavesOf, variablesOf } from './leaves.ts'
import type { Problem } from './problem.ts'
import { chooseProfile, PROFILE_VARIABLE } from './profile.ts'
import { type ReadConfig, read } from './read.ts'
import { createReport, type Report } from './report.ts'
import type { Profile } from './source.ts'

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
export type CheckedConfig<Config> = {
  /**
   * The configuration as rules see it, for checks that take longer than a rule may. Reading a part that
   * is wrong throws, so read it within `known`. Frozen at every depth.
   */
  readonly draft: Config
} & (
  | ({ readonly ok: true } & LoadedConfig<Config>)
  | { readonly ok: false; readonly profile: Profile; readonly report: Report }
)

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
  const names = new Set([PROFILE_VARIABLE, ...leaves.flatMap(variablesOf)])
  const environment = new Environment({ env, cwd, dotenv, known: names })
  const { profile, candidates, problems } = chooseProfile(options.profile, environment)
  const reading = { definition, leaves, environment, files, cwd }
  const [first, ...others] = candidates.map((candidate) => read(reading, candidate))
  if (first === undefined) throw new TypeError('There is no profile to read a configuration for.')
  // Of a profile that is not known, what holds for each that may be meant.
  const report = createReport({
    ...{ name: definition.name, profile, files, origins: first.origins },
    problems: [...environment.problems, ...problems, ...common(first, others, 'problems')],
    warnings: [...environment.misspelt(), ...common(first, others, 'warnings')],
  })
  const { config, draft } = first
  return report.problems.length > 0 || config === undefined
    ? { ok: false, draft, profile, report }
    : { ok: true, config, draft, profile, report }
}

function common(
  first: ReadConfig<unknown>,
  others: readonly ReadConfig<unknown>[],
  kind: 'problems' | 'warnings',
): readonly Problem[] {
  const keyOf = ({ path, message }: Problem): string => JSON.stringify([path, message])
  const keys = others.map((other) => new Set(other[kind].map(keyOf)))
  return first[kind].filter((problem) => keys.every((set) => set.has(keyOf(problem))))
}
