import {
  type CheckedConfig,
  ConfigError,
  checkConfig,
  defineConfig,
  known,
  type Problem,
  type Report,
  type Variables,
} from '@tidegate/config'
import { compileSettings } from './compile.ts'
import { processDefinition } from './environment.ts'
import { idleLimitsDefinition, limitsDefinition, limitsFromEnvironment } from './limit-variables.ts'
import { otelDefinition } from './otel-variables.ts'
import { type EnvironmentSetup, setUpFromEnvironment } from './provider-setup.ts'
import { providersDefinition } from './providers.ts'
import { checkRedis } from './redis-options.ts'
import { mergeReports } from './report.ts'
import { exposureRules } from './rules/exposure.ts'
import { healthRules } from './rules/health.ts'
import { keyRules } from './rules/keys.ts'
import { limitRules } from './rules/limits.ts'
import { createLogFileRule } from './rules/log-file.ts'
import { routeRules } from './rules/routes.ts'
import { sessionRules } from './rules/sessions.ts'
import { sharingRules } from './rules/sharing.ts'
import { telemetryRules } from './rules/telemetry.ts'
import { createTlsRule, readTls } from './rules/tls.ts'
import { tokenRules } from './rules/tokens.ts'
import { upstreamRules } from './rules/upstreams.ts'
import { checkValidation } from './rules/validation.ts'
import { gatewaySchema } from './schema/gateway.ts'
import type { Settings } from './settings.ts'

/** Where the settings come from. */
export interface LoadSettingsOptions {
  /** The process's environment. */
  readonly env: Variables
  /** The configuration file. Without one the environment alone configures the gateway. */
  readonly file?: string | undefined
  /** What relative paths and `.env` start from. */
  readonly cwd: string
}

/** What reading the configuration gave. */
export interface CheckedSettings {
  /** Undefined when there is a problem. */
  readonly settings: Settings | undefined
  readonly report: Report
}

/** Reads the configuration and answers with everything that is wrong with it. */
export async function checkSettings({
  env,
  file,
  cwd,
}: LoadSettingsOptions): Promise<CheckedSettings> {
  const from = { env, cwd }
  const process = checkConfig(processDefinition, from)
  const providers = file === undefined ? checkConfig(providersDefinition, from) : undefined
  const limits = checkConfig(file === undefined ? limitsDefinition : idleLimitsDefinition, from)
  const otel = checkConfig(otelDefinition, from)
  const checked = [process, ...(providers === undefined ? [] : [providers]), limits, otel]
  const reports = checked.map(ofEnvironment)
  const setup =
    providers && setUpFromEnvironment(providers.draft, limitsFromEnvironment(limits.draft))
  const debug = known(() => process.draft.debug) ?? false
  const layer = {
    ...(setup && { version: 1 as const, ...setup.input }),
    ...(debug && { logging: { level: 'debug' as const } }),
  }
  const gateway = checkConfig(defineGateway(layer, cwd), {
    ...from,
    ...(file !== undefined && { files: [file] }),
  })
  const { draft } = gateway
  const { origins } = gateway.report
  const report = mergeReports(relocate(gateway.report, setup), [
    ...reports,
    { problems: await checkValidation(draft, origins), warnings: [] },
    await checkRedis(draft, origins, cwd),
  ])
  if (!gateway.ok || report.problems.length > 0) return { settings: undefined, report }
  const { config, profile } = gateway
  const tls = config.server.tls && readTls(config.server.tls, cwd)
  const variables = known(() => otel.draft.otel) ?? {}
  const context = { profile, cwd, tls, demo: setup?.demo, file, debug, otel: variables }
  const settings = compileSettings(config, context)
  return { settings, report }
}

/**
 * Reads the configuration: defaults, file, `.env` and environment, the later above the earlier.
 *
 * @throws {ConfigError} with every problem at once when there is any.
 */
export async function loadSettings(options: LoadSettingsOptions): Promise<{
  readonly settings: Settings
  readonly report: Report
}> {
  const { settings, report } = await checkSettings(options)
  if (settings === undefined) throw new ConfigError(report)
  return { settings, report }
}

type Layer = Partial<EnvironmentSetup['input']> & {
  readonly version?: 1
  readonly logging?: { readonly level: 'debug' }
}

function defineGateway(layer: Layer, cwd: string) {
  const profiles = { development: layer, test: layer, staging: layer, production: layer }
  return defineConfig({
    name: 'tidegate',
    schema: gatewaySchema,
    profiles,
    refine: [
      ...[
        ...routeRules,
        ...upstreamRules,
        ...exposureRules,
        ...keyRules,
        ...tokenRules,
        ...limitRules,
        ...sessionRules,
        ...sharingRules,
        ...healthRules,
        ...telemetryRules,
      ],
      ...[createTlsRule(cwd), createLogFileRule(cwd)],
    ],
  })
}

// The definitions of the environment have paths that are nobody's business: the variable says it all.
function ofEnvironment({ report }: CheckedConfig<unknown>): Report {
  const rooted = (problem: Problem): Problem => ({ ...problem, path: '(root)' })
  return {
    ...report,
    problems: report.problems.map(rooted),
    warnings: report.warnings.map(rooted),
    origins: [],
  }
}

/** What is wrong with upstreams and routes that a variable made is that variable's problem. */
function relocate(report: Report, setup: EnvironmentSetup | undefined): Report {
  if (setup === undefined) return report
  const move = (problem: Problem): Problem => {
    const name = problem.source.kind === 'profile' ? upstreamAt(problem.path, setup) : undefined
    const variable = name === undefined ? undefined : setup.variables[name]
    if (variable === undefined) return problem
    return { ...problem, path: '(root)', source: { kind: 'env', name: variable } }
  }
  return { ...report, problems: report.problems.map(move), warnings: report.warnings.map(move) }
}

function upstreamAt(path: string, { input }: EnvironmentSetup): string | undefined {
  const [, index, name] = /^(?:routes\[(\d+)\]|upstreams\.([\w-]+))/.exec(path) ?? []
  return name ?? input.routes[Number(index)]?.upstreams[0]
}
