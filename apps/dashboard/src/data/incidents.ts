import { type Fields, fields, instant, list, number, text } from './wire.ts'

/** Something that happened to a call, as the gateway's timeline tells it. */
export interface Step {
  readonly kind: string
  readonly atMs: number
  readonly ms: number | null
  readonly attempt: number | null
  readonly reason: string | null
  readonly endpoint: string | null
  readonly breaker: string | null
}

/** A request that an upstream failed. */
export interface Failure {
  readonly id: string
  readonly at: number | null
  readonly method: string
  readonly path: string
  readonly route: string
  readonly upstream: string
  readonly code: string
  readonly attempts: number | null
  readonly durationMs: number | null
  readonly timeline: readonly Step[]
}

/** A metric that isn't as it usually is. */
export interface Anomaly {
  readonly metric: string
  readonly sinceAt: number | null
  readonly untilAt: number | null
  readonly value: number | null
  readonly expected: number | null
  readonly direction: string | null
}

export interface Anomalies {
  readonly active: readonly Anomaly[]
  readonly recent: readonly Anomaly[]
}

/** `GET /health/failures`, the newest first. */
export function readFailures(body: unknown): readonly Failure[] {
  return list(fields(body).failures).map((each) => readFailure(fields(each)))
}

function readFailure(failure: Fields): Failure {
  return {
    id: text(failure.request_id) ?? '',
    at: instant(failure.at),
    method: text(failure.method) ?? '',
    path: text(failure.path) ?? '',
    route: text(failure.route) ?? '',
    upstream: text(failure.upstream) ?? '',
    code: text(failure.code) ?? '',
    attempts: number(failure.attempts),
    durationMs: number(failure.duration_ms),
    timeline: list(failure.timeline).map((each) => readStep(fields(each))),
  }
}

function readStep(step: Fields): Step {
  return {
    kind: text(step.kind) ?? '',
    atMs: Math.max(0, number(step.at) ?? 0),
    ms: number(step.ms),
    attempt: number(step.attempt),
    reason: text(step.reason),
    endpoint: text(step.endpoint),
    breaker: text(step.breaker),
  }
}

/** `GET /metrics/anomalies`. */
export function readAnomalies(body: unknown): Anomalies {
  const { active, recent } = fields(body)
  return { active: list(active).map(readAnomaly), recent: list(recent).map(readAnomaly) }
}

function readAnomaly(value: unknown): Anomaly {
  const anomaly = fields(value)
  return {
    metric: text(anomaly.metric) ?? '',
    sinceAt: instant(anomaly.since),
    untilAt: instant(anomaly.until),
    value: number(anomaly.value),
    expected: number(anomaly.expected),
    direction: text(anomaly.direction),
  }
}
