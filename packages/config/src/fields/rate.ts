import { formatDuration, parseDuration } from './duration.ts'
import { type Field, isCount, parsed, Refusal } from './parsed.ts'

/** So much in so long. */
export interface Rate {
  /** A whole number of at least 1. */
  readonly amount: number
  /** The window's length in milliseconds, at least 1. */
  readonly windowMs: number
}

const MULTIPLIERS: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1_000_000 }

/** An amount per time: `100/1m`, `40k/1m`, `5/s`, where 1k is 1000 and 1m is a million. */
export function rate(): Field<Rate, string> {
  const kind = {
    type: 'rate',
    expected: 'a rate such as 100/1m',
    json: [
      {
        type: 'string',
        pattern:
          '^\\s*\\d+(\\.\\d+)?[kKmM]?\\s*/\\s*((\\d+(\\.\\d+)?(ms|s|m|h|d))+|ms|s|m|h|d)\\s*$',
      },
    ],
    show: (value: unknown) => (isRate(value) ? formatRate(value) : String(value)),
  }
  return parsed(kind, (written) => parseRate(written) ?? new Refusal())
}

/** Writes a rate as it is read: `100/1m`. */
export function formatRate({ amount, windowMs }: Rate): string {
  return `${amount}/${formatDuration(windowMs)}`
}

function parseRate(written: unknown): Rate | undefined {
  if (typeof written !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)([km]?)\s*\/\s*(\S.*)$/.exec(written.toLowerCase())
  if (!match) return undefined
  const [, count = '', multiplier = '', window = ''] = match
  const amount = Math.round(Number(count) * (MULTIPLIERS[multiplier] ?? 1) * 1000) / 1000
  // A bare unit is one of it; a bare number would have no unit at all.
  const windowMs = parseDuration(/^[a-z]/.test(window) ? `1${window}` : window, Number.NaN)
  if (!isCount(amount) || amount === 0 || !windowMs) return undefined
  return { amount, windowMs }
}

function isRate(value: unknown): value is Rate {
  return typeof value === 'object' && value !== null && 'amount' in value && 'windowMs' in value
}
