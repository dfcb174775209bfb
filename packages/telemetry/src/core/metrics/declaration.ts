import { TelemetryError } from '../errors.ts'
import { checkWhole } from '../option-checks.ts'
import type { MetricType } from './family.ts'

/** OpenTelemetry's advice for durations in seconds. */
const secondsBuckets: readonly number[] = Object.freeze([
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
])

/** A metric as it was declared, all defaults filled in. */
export interface Declaration {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly unit: string | undefined
  readonly labels: readonly string[]
  readonly maxSeries: number
  /** Of a histogram, else empty. */
  readonly bounds: readonly number[]
}

/** What may have been given, from code that no compiler has seen as well. */
export interface GivenSpec {
  readonly help: string
  readonly unit?: string
  readonly labels?: readonly string[]
  readonly maxSeries?: number
  readonly buckets?: readonly number[]
}

const word = /^[a-z_][a-z0-9_]*$/
const ownSuffix = /_(total|count|sum|bucket|created)$/

/** Checks a declaration against what Prometheus and OpenMetrics allow, and fills in the defaults. */
export function declare(
  name: string,
  type: MetricType,
  spec: GivenSpec,
  maxSeries: number,
): Declaration {
  const unit = spec.unit === '' ? undefined : spec.unit
  checkName(name, type, unit)
  if (typeof spec.help !== 'string' || spec.help.trim() === '') {
    throw invalid(`The metric ${name} needs a help text: one sentence about what it measures.`)
  }
  return {
    name,
    type,
    help: spec.help.trim().toWellFormed(),
    unit,
    labels: checkedLabels(name, spec.labels ?? []),
    maxSeries: checkWhole('maxSeries', spec.maxSeries ?? maxSeries, 1),
    bounds: type === 'histogram' ? checkedBounds(name, unit, spec.buckets) : [],
  }
}

function checkName(name: string, type: MetricType, unit: string | undefined): void {
  if (typeof name !== 'string' || !word.test(name)) {
    throw invalid(
      `${JSON.stringify(name)} is no name for a metric: use lower-case letters, digits and _, as in http_requests_total.`,
    )
  }
  if (type === 'counter' && !name.endsWith('_total')) {
    throw invalid(`A counter's name ends with _total: ${name}_total.`)
  }
  const base = familyName(name, type)
  if (ownSuffix.test(base)) {
    throw invalid(
      `The name ${name} must not end like a counter's or a histogram's own samples: leave out ${ownSuffix.exec(base)?.[0]}.`,
    )
  }
  if (unit !== undefined && !(word.test(unit) && base.endsWith(`_${unit}`))) {
    const right = `${base}_${unit}${type === 'counter' ? '_total' : ''}`
    throw invalid(`The metric ${name} has the unit ${unit}, so it must be named ${right}.`)
  }
}

/** What OpenMetrics calls the family: a counter's name without `_total`. */
export function familyName(name: string, type: MetricType): string {
  return type === 'counter' ? name.slice(0, -'_total'.length) : name
}

function checkedLabels(name: string, labels: readonly string[]): readonly string[] {
  for (const [index, label] of labels.entries()) {
    const wrong =
      typeof label !== 'string' || !word.test(label) || label.startsWith('__')
        ? 'use lower-case letters, digits and _, not beginning with __'
        : label === 'le' || label === 'quantile'
          ? 'Prometheus uses it itself'
          : labels.indexOf(label) !== index
            ? 'it is there twice'
            : undefined
    if (wrong !== undefined) {
      throw new TelemetryError(
        'invalid_label',
        `The metric ${name} can't have a label ${JSON.stringify(label)}: ${wrong}.`,
      )
    }
  }
  return Object.freeze([...labels])
}

function checkedBounds(
  name: string,
  unit: string | undefined,
  given: readonly number[] | undefined,
): readonly number[] {
  if (given === undefined && unit === 'seconds') return secondsBuckets
  if (given === undefined) {
    throw invalid(`The histogram ${name} needs buckets: only those in seconds have a default.`)
  }
  const rising = given.every(
    (bound, index) => Number.isFinite(bound) && (index === 0 || bound > (given[index - 1] ?? 0)),
  )
  if (!rising || given.length === 0) {
    throw invalid(
      `The buckets of ${name} must be finite numbers, each greater than the one before.`,
    )
  }
  return Object.freeze([...given])
}

function invalid(message: string): TelemetryError {
  return new TelemetryError('invalid_metric', message)
}

/** Names the first property in which two declarations of one name differ. */
export function difference(one: Declaration, other: Declaration): string | undefined {
  const properties = ['type', 'labels', 'unit', 'help', 'bounds', 'maxSeries'] as const
  return properties.find((property) => String(one[property]) !== String(other[property]))
}
