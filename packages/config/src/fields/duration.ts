import type { Field } from './parsed.ts'
import { quantity, wholeCount } from './quantity.ts'

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

export interface DurationOptions {
  /** What a number without a unit counts: `ms` unless given. */
  readonly unit?: 'ms' | 's'
  /** The shortest duration, in milliseconds. 0 unless given. */
  readonly min?: number
  /** The longest duration, in milliseconds. */
  readonly max?: number
}

/**
 * A length of time: `200ms`, `30s`, `1m30s`, `1.5h`, `7d`, or a number in {@link DurationOptions.unit}.
 * Becomes whole milliseconds; what is finer is refused.
 */
export function duration(options: DurationOptions = {}): Field<number, string | number> {
  const { unit = 'ms', ...bounds } = options
  return quantity({
    ...bounds,
    type: 'duration',
    expected: 'a duration such as 30s',
    json: [
      { type: 'number', minimum: 0 },
      {
        type: 'string',
        pattern: '^\\s*(\\d+(\\.\\d+)?(ms|s|m|h|d)\\s*)+$|^\\s*\\d+(\\.\\d+)?\\s*$',
      },
    ],
    parse: (written) => parseDuration(written, UNITS[unit] ?? 1),
    format: formatDuration,
  })
}

/** Writes milliseconds in the largest units that hold them exactly: `90000` is `1m30s`. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const [unit, size] of Object.entries(UNITS).reverse()) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text || '0s'
}

/** Reads milliseconds, or undefined when it is no duration. `bare` is what a plain number counts in. */
export function parseDuration(written: unknown, bare: number): number | undefined {
  if (typeof written === 'number') return wholeCount(written * bare)
  if (typeof written !== 'string') return undefined
  const compact = written.replace(/\s+/g, '').toLowerCase()
  if (/^\d+(\.\d+)?$/.test(compact)) return wholeCount(Number(compact) * bare)
  if (compact.length > 64 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(compact)) return undefined
  let total = 0
  const used = new Set<string>()
  for (const [, amount = '', unit = ''] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    // 5m5m is a slip, not ten minutes.
    if (used.has(unit)) return undefined
    used.add(unit)
    total += Number(amount) * (UNITS[unit] ?? 0)
  }
  return wholeCount(total)
}
