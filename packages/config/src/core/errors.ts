import type { Problem } from './problem.ts'
import type { Report } from './report.ts'

/** Thrown by `loadConfig` when the configuration has problems. Its message is the whole report. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'config_invalid'
  /** Everything that is wrong, in the order of the files. */
  readonly problems: readonly Problem[]
  readonly report: Report

  constructor(report: Report) {
    super(report.toText())
    this.problems = report.problems
    this.report = report
  }
}

/** Whether something thrown is a {@link ConfigError}, also one from another copy of this package. */
export function isConfigError(error: unknown): error is ConfigError {
  return (
    error instanceof Error &&
    error.name === 'ConfigError' &&
    (error as { code?: unknown }).code === 'config_invalid'
  )
}
