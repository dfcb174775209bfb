import { percent } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { gatewayNow } from './connection.ts'
import { heldSince, valuesSince } from './frame.ts'
import type { State } from './state.ts'

/** Targets are judged over this long: shorter is noise, longer is old news. */
export const JUDGED_MS = 300_000

/** With fewer requests in that time, one more or less decides: nothing is judged. */
const ENOUGH_REQUESTS = 20

/** A moment is neither the beginning of trouble nor its end. */
const SMOOTH_MS = 15_000

export interface Target {
  readonly key: 'errors' | 'overhead' | 'cache' | 'violations' | 'redis'
  readonly name: string
  /** What it is about, in a sentence. */
  readonly about: string
  readonly value: number | null
  readonly figure: string
  readonly goal: string
  readonly state: 'met' | 'missed' | 'unknown'
  /** Missed by so much that it is an emergency. */
  readonly severe: boolean
  readonly sinceAt: number | null
}

/** What users watch, and what it should be. */
export function targets(state: State): readonly Target[] {
  const begin = gatewayNow(state) - JUDGED_MS
  const enough = total(state, 'requests.rate', begin) >= ENOUGH_REQUESTS
  return [
    errors(state, begin, enough),
    overhead(state, begin, enough),
    cache(state, begin),
    violations(state, begin, enough),
    redis(state),
  ]
}

function errors(state: State, begin: number, enough: boolean): Target {
  const value =
    ratio(state, 'errors.rate', 'requests.rate', begin) ?? state.figures?.totals.errorRate ?? null
  const missed = value !== null && value >= 0.01
  return {
    key: 'errors',
    name: 'Errors',
    about: 'Requests that failed through the gateway or an upstream.',
    ...judged(value, enough, missed, percent(value)),
    goal: '< 1 %',
    severe: enough && value !== null && value >= 0.1,
    sinceAt: heldSince(state.frame, 'errors.ratio', (each) => each >= 0.01, SMOOTH_MS),
  }
}

function overhead(state: State, begin: number, enough: boolean): Target {
  const value = median(valuesSince(state.frame, 'overhead.p95', begin))
  return {
    key: 'overhead',
    name: 'Gateway overhead, p95',
    about: 'Time to the first byte, less what the upstream took.',
    ...judged(value, enough, value !== null && value >= 100, duration(value)),
    goal: '< 100 ms',
    severe: enough && value !== null && value >= 1_000,
    sinceAt: heldSince(state.frame, 'overhead.p95', (each) => each >= 100, SMOOTH_MS),
  }
}

function cache({ frame, figures }: State, begin: number): Target {
  const value = mean(valuesSince(frame, 'cache.hit_ratio', begin)) ?? figures?.cache.hitRate ?? null
  const asked = (figures?.cache.hits ?? 0) + (figures?.cache.misses ?? 0)
  const missed = value !== null && value <= 0.8
  return {
    key: 'cache',
    name: 'Cache hits',
    about: 'Cacheable requests that were answered from the cache.',
    ...judged(value, asked >= ENOUGH_REQUESTS, missed, percent(value)),
    goal: '> 80 %',
    severe: false,
    sinceAt: heldSince(frame, 'cache.hit_ratio', (each) => each <= 0.8, SMOOTH_MS),
  }
}

function violations({ frame, figures }: State, begin: number, enough: boolean): Target {
  const value =
    mean(valuesSince(frame, 'limits.violation_ratio', begin)) ??
    figures?.limits.violationRate ??
    null
  const missed = value !== null && value >= 0.001
  return {
    key: 'violations',
    name: 'Limit violations',
    about: 'Requests that a rate limit refused.',
    ...judged(value, enough, missed, percent(value)),
    goal: '< 0.1 %',
    severe: false,
    sinceAt: heldSince(frame, 'limits.violation_ratio', (each) => each >= 0.001, SMOOTH_MS),
  }
}

function redis({ figures, components = [] }: State): Target {
  const checked = components.find(({ name }) => name === 'redis')?.memory
  const { usedBytes, maxBytes } =
    figures?.redis.usedBytes == null ? (checked ?? none) : figures.redis
  const value = usedBytes === null || maxBytes === null ? null : usedBytes / maxBytes
  return {
    key: 'redis',
    name: 'Redis memory',
    about: 'Used of what Redis may use.',
    ...judged(value, true, value !== null && value >= 0.7, percent(value)),
    goal: '< 70 %',
    severe: value !== null && value >= 0.9,
    sinceAt: null,
  }
}

const none = { usedBytes: null, maxBytes: null }

function judged(value: number | null, enough: boolean, missed: boolean, figure: string) {
  const known = value !== null && enough
  const state = known ? (missed ? 'missed' : 'met') : 'unknown'
  return { value, figure, state } satisfies Partial<Target>
}

/** How many there were: a rate per second, over the time it was measured. */
function total({ frame, window }: State, metric: string, begin: number): number {
  return (sum(valuesSince(frame, metric, begin)) * window.stepMs) / 1000
}

function ratio({ frame }: State, part: string, whole: string, begin: number): number | null {
  const all = sum(valuesSince(frame, whole, begin))
  return all > 0 ? Math.min(1, sum(valuesSince(frame, part, begin)) / all) : null
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}
