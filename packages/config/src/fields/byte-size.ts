import { type Field, isCount } from './parsed.ts'
import { quantity, wholeCount } from './quantity.ts'

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

export interface ByteSizeOptions {
  /** The smallest size, in bytes. 0 unless given. */
  readonly min?: number
  /** The largest size, in bytes. */
  readonly max?: number
}

/** A number of bytes: `512`, `64kb`, `10mb`, `1.5gb`, where 1kb is 1024. Becomes whole bytes. */
export function byteSize(options: ByteSizeOptions = {}): Field<number, string | number> {
  return quantity({
    ...options,
    type: 'size',
    expected: 'a size such as 10mb',
    json: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*([bB]|[kKmMgG][iI]?[bB])?\\s*$' },
    ],
    parse: parseByteSize,
    format: formatByteSize,
  })
}

/** Writes bytes in the largest unit that holds them exactly: `10485760` is `10mb`. */
export function formatByteSize(bytes: number): string {
  const fitting = Object.entries(UNITS).filter(([, size]) => bytes >= size && bytes % size === 0)
  const [unit, size] = fitting.at(-1) ?? ['b', 1]
  return `${bytes / size}${unit}`
}

/** Reads bytes, or undefined when it is no size. */
function parseByteSize(written: unknown): number | undefined {
  if (typeof written === 'number') return isCount(written) ? written : undefined
  if (typeof written !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)\s*(b|[kmg]i?b)?$/.exec(written.toLowerCase())
  if (!match) return undefined
  const [, amount = '', unit = 'b'] = match
  return wholeCount(Number(amount) * (UNITS[unit.replace('i', '')] ?? 0))
}
