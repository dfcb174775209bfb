import { duration } from '@tidegate/config/fields'
import { GatewayError } from '../../problems.ts'

/** As many as a history is asked for at once. */
const MOST_METRICS = 200
const LONGEST_NAME = 128
const DEFAULT_WINDOW_MS = 300_000

const window = duration({ unit: 's', min: 1_000, max: 7 * 86_400_000 })

/**
 * The metrics that a query names (`metric=a,b`, also more than once), each once; `undefined` when it names none.
 *
 * @throws GatewayError `invalid_metrics_query`.
 */
export function askedMetrics(query: URLSearchParams): readonly string[] | undefined {
  const given = query.getAll('metric').flatMap((names) => names.split(','))
  const names = new Set(given.map((name) => name.trim()).filter((name) => name !== ''))
  if (names.size > MOST_METRICS) {
    throw invalidQuery(`It names ${names.size} metrics; ${MOST_METRICS} is the most.`)
  }
  if ([...names].some((name) => name.length > LONGEST_NAME)) {
    throw invalidQuery(`The name of a metric has ${LONGEST_NAME} characters at most.`)
  }
  return names.size === 0 ? undefined : [...names]
}

/**
 * A length of time that a query gives, in milliseconds: `300s`, `5m`, or seconds.
 *
 * @throws GatewayError `invalid_metrics_query`.
 */
export function askedDuration(query: URLSearchParams, name: string): number | undefined {
  const written = query.get(name)
  if (written === null || written === '') return undefined
  const read = window.safeParse(written)
  if (read.success) return read.data
  const what = read.error.issues[0]?.message ?? 'expected a duration'
  throw invalidQuery(`"${name}" is not as expected: ${what}.`)
}

/**
 * How far back a query looks (`window=300s`), in milliseconds: five minutes unless it says so.
 *
 * @throws GatewayError `invalid_metrics_query`.
 */
export function askedWindow(query: URLSearchParams): number {
  return askedDuration(query, 'window') ?? DEFAULT_WINDOW_MS
}

export function invalidQuery(message: string): GatewayError {
  return new GatewayError('invalid_metrics_query', message)
}
