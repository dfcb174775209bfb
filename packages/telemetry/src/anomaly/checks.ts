import { TelemetryError } from '../core/errors.ts'

/**
 * Refuses what is no whole number between two.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkWhole(
  option: string,
  value: number,
  lowest: number,
  highest: number = 1_000_000,
): number {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value
  throw new TelemetryError(
    'invalid_option',
    `${option} is ${String(value)}; it has to be a whole number from ${lowest} to ${highest}.`,
  )
}

/**
 * Refuses what is no finite number, or too small.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkNumber(option: string, value: number, lowest: number): number {
  if (Number.isFinite(value) && value >= lowest) return value
  throw new TelemetryError(
    'invalid_option',
    `${option} is ${String(value)}; it has to be a number${lowest > 0 ? ' above 0' : ' from 0 on'}.`,
  )
}
