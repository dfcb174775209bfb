/** From good to bad: as it should be; worse, but at work; not at work. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

export const STATUSES: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy']

/** How bad a status is: 0 is healthy. */
export function severity(status: HealthStatus): number {
  return STATUSES.indexOf(status)
}

/** The worst of some statuses; of none, `healthy`. */
function worst(statuses: readonly HealthStatus[]): HealthStatus {
  return STATUSES[Math.max(0, ...statuses.map(severity))] ?? 'healthy'
}

/**
 * The status of the whole: a critical part that is unhealthy makes it unhealthy; anything else that isn't
 * healthy makes it degraded.
 */
export function overall(
  parts: readonly { readonly status: HealthStatus; readonly critical: boolean }[],
): HealthStatus {
  return worst(
    parts.map(({ status, critical }) =>
      status === 'unhealthy' && !critical ? 'degraded' : status,
    ),
  )
}
