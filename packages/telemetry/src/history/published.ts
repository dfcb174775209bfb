import { TelemetryError } from '../core/errors.ts'

/** Names and values of what a published value is about; part of the entry, not of the history. */
export type MetricTags = Readonly<Record<string, string>>

/** A value of a metric of yours. */
export interface PublishedMetric {
  readonly name: string
  readonly value: number
  readonly tags: MetricTags
  /** Milliseconds since 1970. */
  readonly at: number
}

const NAME = /^[a-zA-Z][\w.:/-]{0,127}$/
const TAG = /^[a-zA-Z_][\w.-]{0,63}$/
const MAX_TAGS = 10
const MAX_TAG_VALUE = 128

/**
 * Refuses what can't be the name of a metric: a letter, then up to 127 letters, digits or `_ . : / -`.
 *
 * @throws TelemetryError `invalid_metric`.
 */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  throw new TelemetryError(
    'invalid_metric',
    `${shown(name)} can't name a metric: it has to be a letter and then up to 127 letters, digits or _ . : / -`,
  )
}

/**
 * Refuses what is no number, or not finite.
 *
 * @throws TelemetryError `invalid_metric`.
 */
export function checkValue(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new TelemetryError(
    'invalid_metric',
    `The value of ${name} is ${shown(value)}; it has to be a finite number.`,
  )
}

/**
 * Refuses tags that are too many, too long, or no texts.
 *
 * @throws TelemetryError `invalid_label`.
 */
export function checkTags(name: string, tags: unknown = {}): MetricTags {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw invalidTags(name, 'must be an object')
  }
  const entries = Object.entries(tags)
  if (entries.length > MAX_TAGS) throw invalidTags(name, `are more than ${MAX_TAGS}`)
  for (const [key, value] of entries) {
    if (!TAG.test(key)) {
      throw invalidTags(name, `have a bad name: ${shown(key)}; use letters, digits or _ . -`)
    }
    if (typeof value !== 'string' || value.length > MAX_TAG_VALUE) {
      throw invalidTags(name, `must have texts of up to ${MAX_TAG_VALUE} characters: see ${key}`)
    }
  }
  return Object.fromEntries(entries) as MetricTags
}

function invalidTags(name: string, why: string): TelemetryError {
  return new TelemetryError('invalid_label', `The tags of ${name} ${why}.`)
}

/** What was given, as far as an error should repeat it. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  }
  const isPlain =
    value === undefined || value === null || ['number', 'boolean'].includes(typeof value)
  return isPlain ? String(value) : `of type ${typeof value}`
}
