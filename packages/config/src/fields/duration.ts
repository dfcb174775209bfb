import { type Field, isCount, parsed, Refusal } from './parsed.ts'

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
  const { unit = 'ms', min = 0, max } = options
  const range = [
    min > 0 ? ` of at least ${formatDuration(min)}` : '',
    max === undefined ? '' : `${min > 0 ? ' and' : ' of'} at most ${formatDuration(max)}`,
  ].join('')
  const kind = {
    type: 'duration',
    expected: `a duration such as 30s${range}`,
    json: [
      { type: 'number', minimum: 0 },
      {
        type: 'string',
        pattern: '^\\s*(\\d+(\\.\\d+)?(ms|s|m|h|d)\\s*)+$|^\\s*\\d+(\\.\\d+)?\\s*$',
      },
    ],
    show: (value: unknown) => (isCount(value) ? formatDuration(value) : String(value)),
  }
  return parsed(kind, (written) => {
    const ms = parseDuration(written, UNITS[unit] ?? 1)
    const fits = ms !== undefined && ms >= min && (max === undefined || ms <= max)
    return fits ? ms : new Refusal()
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
  if (typeof written === 'number') return whole(written * bare)
  if (typeof written !== 'string') return undefined
  const compact = written.replace(/\s+/g, '').toLowerCase()
  if (/^\d+(\.\d+)?$/.test(compact)) return whole(Number(compact) * bare)
  if (compact.length > 64 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(compact)) return undefined
  let total = 0
  const used = new Set<string>()
  for (const [, amount = '', unit = ''] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    // 5m5m is a slip, not ten minutes.
    if (used.has(unit)) return undefined
    used.add(unit)
    total += Number(amount) * (UNITS[unit] ?? 0)
  }
  return whole(total)
}

// 1.1s is 1100.0000000000002 in floating point, and meant exactly.
function whole(ms: number): number | undefined {
  const rounded = Math.round(ms)
  return Math.abs(rounded - ms) < 1e-6 && isCount(rounded) ? rounded : undefined
}
