import type { HealthStatus } from '@tidegate/health'
import type { Component } from './component.ts'

const WORDS = { healthy: 'pass', degraded: 'warn', unhealthy: 'fail' } as const satisfies Record<
  HealthStatus,
  string
>

/** In the form of draft-inadarei-api-health-check-06, which several monitors read. */
export function healthJsonOf(
  status: HealthStatus,
  version: string,
  components?: Readonly<Record<string, Component>>,
): object {
  const checks = Object.entries(components ?? {}).map(([name, each]) => [
    name,
    [checkOf(name, each)],
  ])
  return {
    ...{ status: WORDS[status], version },
    ...(components !== undefined && { checks: Object.fromEntries(checks) }),
  }
}

function checkOf(name: string, { status, latency_ms, checked_at, error }: Component): object {
  return {
    componentId: name,
    status: WORDS[status],
    ...(typeof latency_ms === 'number' && { observedValue: latency_ms, observedUnit: 'ms' }),
    ...(typeof checked_at === 'string' && { time: checked_at }),
    ...(status !== 'healthy' && error !== undefined && { output: outputOf(error) }),
  }
}

function outputOf(error: unknown): string {
  if (typeof error === 'string') return error
  const { code, message } = Object(error)
  return `${code}: ${message}`
}
