export {
  type ConfigDefinition,
  defineConfig,
  type Finding,
  type Partially,
  type RootSchema,
  type Rule,
} from './core/definition.ts'
export type { Variables } from './core/environment.ts'
export { ConfigError, isConfigError } from './core/errors.ts'
export { type FieldMeta, field, type JsonSchema } from './core/field.ts'
export { eachKnown, known } from './core/known.ts'
export {
  type CheckedConfig,
  checkConfig,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
} from './core/load.ts'
export type { Path } from './core/path.ts'
export type { Problem, ProblemCode } from './core/problem.ts'
export { createReport, type Origin, type Report, type ReportData } from './core/report.ts'
export { Secret } from './core/secret.ts'
export type { Profile, Source } from './core/source.ts'
export { toDotenvExample } from './generate/dotenv-example.ts'
export { toJsonSchema } from './generate/json-schema.ts'
export { toMarkdown } from './generate/markdown.ts'
