import type { CheckResult, HealthReport } from './report.ts'
import type { HealthStatus } from './status.ts'

/** The media type of {@link healthJson}. */
export const HEALTH_JSON = 'application/health+json'

interface HealthJsonCheck {
  readonly componentId: string
  readonly observedValue: number
  readonly observedUnit: 'ms'
  readonly status: 'pass' | 'warn' | 'fail'
  readonly time: string
  readonly output?: string
}

/** A report in the form of draft-inadarei-api-health-check-06. */
export interface HealthJson {
  readonly status: 'pass' | 'warn' | 'fail'
  readonly version?: string
  readonly checks?: Readonly<Record<string, readonly HealthJsonCheck[]>>
}

const WORDS = { healthy: 'pass', degraded: 'warn', unhealthy: 'fail' } as const satisfies Record<
  HealthStatus,
  HealthJson['status']
>

/**
 * A report as `application/health+json` (draft-inadarei-api-health-check-06, which has expired, but is
 * what several tools read).
 *
 * @param options `authorised`: whether the checks are in it. Default false.
 */
export function healthJson(
  report: HealthReport,
  { authorised = false }: { readonly authorised?: boolean } = {},
): HealthJson {
  const { status, version, components } = report
  const checks = Object.entries(components).map(
    ([name, result]) => [`${name}:responseTime`, [checkOf(name, result)]] as const,
  )
  return {
    status: WORDS[status],
    ...(version !== undefined && { version }),
    ...(authorised && { checks: Object.fromEntries(checks) }),
  }
}

function checkOf(name: string, result: CheckResult): HealthJsonCheck {
  const { status, latency_ms, checked_at, error } = result
  return {
    componentId: name,
    observedValue: latency_ms,
    observedUnit: 'ms',
    status: WORDS[status],
    time: checked_at,
    ...(error && status !== 'healthy' && { output: `${error.code}: ${error.message}` }),
  }
}
