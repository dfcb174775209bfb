import type { CheckDetails, CheckFault } from './check.ts'
import type { HealthStatus } from './status.ts'

/** How one check stands. */
export interface CheckResult {
  /** What holds, after damping. */
  readonly status: HealthStatus
  /** What the last look found, when damping still holds the status against it. */
  readonly observed?: HealthStatus
  /** How long the last look took, in milliseconds. */
  readonly latency_ms: number
  /** When the last look ended (ISO 8601). */
  readonly checked_at: string
  /** When the status became what it is (ISO 8601). */
  readonly since: string
  readonly critical: boolean
  readonly tags?: readonly string[]
  /** Why it isn't healthy. Without secrets. */
  readonly error?: CheckFault
  readonly details?: CheckDetails
}

/** What everybody may know. */
export interface HealthSummary {
  readonly status: HealthStatus
  readonly version?: string
  /** When it was made (ISO 8601). */
  readonly timestamp: string
  readonly uptime_seconds: number
}

/** All there is to know: for those who may. */
export interface HealthReport extends HealthSummary {
  readonly components: Readonly<Record<string, CheckResult>>
}

/** Whether requests should be sent here. */
export interface Readiness {
  readonly ready: boolean
  /** `draining` comes before anything that the checks say. */
  readonly status: 'ready' | 'draining' | 'not_ready'
  /** Critical checks that are unhealthy: why it isn't ready. */
  readonly failing: readonly string[]
  /** Checks that aren't healthy, and no reason to send requests elsewhere. */
  readonly degraded: readonly string[]
}

/** The part of a report that everybody may know. */
export function summaryOf({ components: _, ...summary }: HealthReport): HealthSummary {
  return summary
}
