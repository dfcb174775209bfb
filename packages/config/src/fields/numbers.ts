import { type Field, parsed, Refusal } from './parsed.ts'

export interface IntegerOptions {
  /** The smallest number that is taken. No bound unless given. */
  readonly min?: number
  /** The largest number that is taken. No bound unless given. */
  readonly max?: number
}

/** A whole number, as a number or as text. */
export function integer(options: IntegerOptions = {}): Field<number, string | number> {
  return whole('integer', `a whole number${describeRange(options)}`, options)
}

/** A TCP port from 0 to 65535; 0 lets the system choose a free one. */
export function port(): Field<number, string | number> {
  return whole('port', 'a port from 0 to 65535', { min: 0, max: 65_535 })
}

/**
 * A share of a whole: `5%`, or a fraction from 0 to 1. Becomes the fraction. A plain number above 1 is
 * refused, as 5 could mean 5% or five times.
 */
export function percent(): Field<number, string | number> {
  const kind = {
    type: 'percentage',
    expected: 'a percentage such as 5%',
    json: [
      { type: 'number', minimum: 0, maximum: 1 },
      { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*%?\\s*$' },
    ],
    show: (value: unknown) => `${Number((Number(value) * 100).toFixed(9))}%`,
  }
  return parsed(kind, (written) => {
    const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(String(written))
    if (!match || typeof written === 'boolean') return new Refusal()
    const fraction = Number(match[1]) / (match[2] ? 100 : 1)
    if (fraction <= 1) return fraction
    return new Refusal(match[2] ? {} : { suggestion: `${match[1]}%` })
  })
}

function whole(
  type: string,
  expected: string,
  options: IntegerOptions,
): Field<number, string | number> {
  const { min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options
  const bounds = {
    ...(options.min === undefined ? {} : { minimum: options.min }),
    ...(options.max === undefined ? {} : { maximum: options.max }),
  }
  const json = [
    { type: 'integer', ...bounds },
    { type: 'string', pattern: '^\\s*[+-]?\\d+\\s*$' },
  ]
  return parsed({ type, expected, json }, (written) => {
    const number =
      typeof written === 'string' && /^[+-]?\d+$/.test(written) ? Number(written) : written
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) return new Refusal()
    return number >= min && number <= max ? number : new Refusal()
  })
}

function describeRange({ min, max }: IntegerOptions): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}
