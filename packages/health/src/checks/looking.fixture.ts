import type { Check } from '../core/check.ts'
import type { CheckOptions } from '../core/component-options.ts'
import { createHealth } from '../core/health.ts'
import type { CheckResult } from '../core/report.ts'

/** What a check says when it is run once, as an application would run it. */
export async function look(check: Check, options: CheckOptions = {}): Promise<CheckResult> {
  using health = createHealth()
  health.register('it', check, options)
  return await health.run('it')
}
