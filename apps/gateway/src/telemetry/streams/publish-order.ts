import { isTelemetryError } from '@tidegate/telemetry'
import type { History, PublishedMetric } from '@tidegate/telemetry/history'
import { GatewayError } from '../../problems.ts'

const MOST = 1_000
/** A clock may be ahead of ours. */
const AHEAD_MS = 60_000
const DAY_MS = 86_400_000
const FIELDS = ['name', 'value', 'tags', 'at']

/**
 * Reads what `POST /metrics` is to publish: one metric, or an array of them.
 *
 * @throws GatewayError `invalid_metric`, which says which one and what is wrong with it.
 */
export function publishOrder(
  body: Buffer,
  history: Pick<History, 'check'>,
  now: number,
): readonly PublishedMetric[] {
  const given = parse(body)
  if (!Array.isArray(given)) return [metricOf(given, history, now, 'The metric')]
  if (given.length === 0) throw invalid('The array is empty.')
  if (given.length > MOST) {
    throw invalid(`The array has ${given.length} metrics; ${MOST} is the most.`)
  }
  return given.map((each, at) => metricOf(each, history, now, `Metric [${at}]`))
}

function parse(body: Buffer): unknown {
  if (body.length === 0) throw invalid('The body is empty.')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw invalid('The body is no JSON.')
  }
}

function metricOf(
  given: unknown,
  history: Pick<History, 'check'>,
  now: number,
  which: string,
): PublishedMetric {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`${which} is no object.`)
  }
  const unknown = Object.keys(given).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 40))
    throw invalid(`${which} has a field ${shown}; known are ${FIELDS.join(', ')}.`)
  }
  const { name, value, tags, at } = given as Readonly<Record<string, unknown>>
  const metric = check(() => history.check(name, value, tags, at ?? now), which)
  checkTime(metric, now, which)
  return metric
}

function check<Checked>(what: () => Checked, which: string): Checked {
  try {
    return what()
  } catch (error) {
    if (!isTelemetryError(error)) throw error
    throw invalid(`${which}: ${error.message}`)
  }
}

/** Nobody would find it in the history. */
function checkTime({ at }: PublishedMetric, now: number, which: string): void {
  if (at >= now - DAY_MS && at <= now + AHEAD_MS) return
  throw invalid(
    `${which}: "at" is ${at}; it has to be milliseconds since 1970, of the last day (now is ${now}).`,
  )
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_metric', message)
}
