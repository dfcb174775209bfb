import { HealthError } from './errors.ts'

/** Milliseconds, or a number with its unit: `250ms`, `30s`, `1.5m`, `1h`. */
export type Duration = number | string

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Longer than this Node's timers can't wait: they would fire at once. */
const MAX_TIMER_MS: number = 2 ** 31 - 1

/** Milliseconds of a duration that a timer can wait. `name` says in the error what was wrong. */
export function parseDuration(name: string, duration: Duration, least = 0): number {
  const ms: unknown = typeof duration === 'string' ? parseText(duration) : duration
  if (typeof ms === 'number' && ms >= least && ms <= MAX_TIMER_MS) return ms
  throw new HealthError(
    'invalid_option',
    `${name} is ${describe(duration)}; it has to be milliseconds from ${least} to ${MAX_TIMER_MS}, or a text such as "250ms", "30s" or "5m".`,
  )
}

function parseText(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  return Number(count) * (UNITS[unit] ?? Number.NaN)
}

/** A value as it may stand in an error: short. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  }
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : `${value}`
}
