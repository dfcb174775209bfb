/** What stands where there is no figure. */
export const NOTHING = '–'

const LARGE = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** A count or a rate for people: `0`, `0.42`, `7.5`, `312`, `1.2k`, `48M`. */
export function amount(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOTHING
  const size = Math.abs(value)
  if (size >= 1e15) return value.toExponential(1).replace('e+', 'e')
  for (const [unit, letter] of LARGE) {
    // What would be rounded to the next unit is told in it: 1M, not 1000k.
    if (size >= unit * 0.9995) return significant(value / unit) + letter
  }
  return significant(value)
}

/** A share between 0 and 1 as percent; very small ones don't become nothing. */
export function percent(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio)) return NOTHING
  const value = ratio * 100
  if (value > 0 && value < 0.01) return '< 0.01 %'
  if (value < 100 && value > 99.99) return '> 99.99 %'
  return `${amount(value)} %`
}

/** A rate, told per second. */
export function perSecond(value: number | null): string {
  const told = amount(value)
  return told === NOTHING ? told : `${told}/s`
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes in powers of 1,000, as disks and networks are told. */
export function bytes(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOTHING
  let rest = value
  let unit = 0
  while (Math.abs(rest) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    rest /= 1000
    unit += 1
  }
  return `${unit === 0 ? Math.round(rest) : amount(rest)} ${BYTE_UNITS[unit]}`
}

/** Money: to the cent where there is enough of it, else to what matters. */
export function dollars(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOTHING
  if (value !== 0 && Math.abs(value) < 0.01) return `$${value.toPrecision(2)}`
  return Math.abs(value) < 10_000 ? `$${value.toFixed(2)}` : `$${amount(value)}`
}

/** Three digits are enough to look at; trailing zeros say nothing. */
function significant(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95) return String(Math.round(value))
  if (size >= 9.995) return trimmed(value.toFixed(1))
  if (size >= 0.01 || size === 0) return trimmed(value.toFixed(2))
  return String(Number(value.toPrecision(1)))
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
