import type { FieldKind } from '../core/field.ts'
import { type Field, isCount, parsed, Refusal } from './parsed.ts'

interface Quantity extends Pick<FieldKind, 'type' | 'expected' | 'json'> {
  /** In the least unit. 0 unless given. */
  readonly min?: number
  readonly max?: number
  readonly parse: (written: unknown) => number | undefined
  readonly format: (count: number) => string
}

/** A whole number of the least unit, written with any of its units, within bounds. */
export function quantity(described: Quantity): Field<number, string | number> {
  const { type, expected, json, min = 0, max, parse, format } = described
  const range = [
    min > 0 ? ` of at least ${format(min)}` : '',
    max === undefined ? '' : `${min > 0 ? ' and' : ' of'} at most ${format(max)}`,
  ].join('')
  const show = (value: unknown) => (isCount(value) ? format(value) : String(value))
  return parsed({ type, expected: `${expected}${range}`, json, show }, (written) => {
    const count = parse(written)
    const fits = count !== undefined && count >= min && (max === undefined || count <= max)
    return fits ? count : new Refusal()
  })
}

// 1.1s is 1100.0000000000002 in floating point, and meant exactly.
export function wholeCount(value: number): number | undefined {
  const rounded = Math.round(value)
  return Math.abs(rounded - value) < 1e-6 && isCount(rounded) ? rounded : undefined
}
