import type { Check } from '../core/check.ts'
import { CheckError } from '../core/check.ts'
import { checkNames, wrong } from '../core/option-checks.ts'

/** Options of {@link configurationCheck}. */
export interface ConfigurationCheckOptions {
  /** What has to be there and not empty. */
  readonly required: readonly string[]
  /** Where it is looked for, at each look, such as `process.env`. */
  readonly env: Readonly<Record<string, unknown>>
}

/**
 * Unhealthy while anything required is missing or blank. Names are shown, values never.
 *
 * @throws HealthError `invalid_option`
 */
export function configurationCheck(options: ConfigurationCheckOptions): Check {
  checkNames('configurationCheck', options, ['required', 'env'])
  const { required, env } = options
  if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
    throw wrong('configurationCheck: required', required, 'a list of names')
  }
  return () => {
    const missing = required.filter((name) => !isThere(Object.hasOwn(env, name) && env[name]))
    const details = { required: required.length, missing }
    if (missing.length === 0) return { details }
    throw new CheckError('missing', `Not set: ${missing.join(', ')}.`, { details })
  }
}

function isThere(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== ''
  return value !== undefined && value !== null && value !== false
}
