import { TelemetryError } from './errors.ts'

/**
 * Refuses what is no whole number within bounds.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkWhole(
  option: string,
  value: number,
  lowest: number,
  highest: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value
  const bounds = highest === Number.MAX_SAFE_INTEGER ? `${lowest} on` : `${lowest} to ${highest}`
  throw invalidOption(`${option} is ${String(value)}; it has to be a whole number from ${bounds}.`)
}

/**
 * Refuses what is no finite number, or too small.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkNumber(option: string, value: number, lowest: number): number {
  if (Number.isFinite(value) && value >= lowest) return value
  throw invalidOption(
    `${option} is ${String(value)}; it has to be a number${lowest > 0 ? ' above 0' : ' from 0 on'}.`,
  )
}

export function invalidOption(message: string): TelemetryError {
  return new TelemetryError('invalid_option', message)
}
