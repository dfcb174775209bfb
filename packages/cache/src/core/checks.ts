import { type Duration, describe, MAX_TIMER_MS, parseDuration } from './duration.ts'
import { CacheError } from './errors.ts'

/** What is thrown for an option that can't be meant. */
export function wrong(name: string, value: unknown, wanted: string): CacheError {
  return new CacheError('invalid_option', `${name} is ${describe(value)}; it has to be ${wanted}.`)
}

/** A whole number from `least`. */
export function count(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw wrong(name, value, `a whole number from ${least}`)
}

/** Milliseconds that a timer can wait. */
export function timer(name: string, value: unknown): number {
  const ms = parseDuration(name, value as Duration)
  if (ms > MAX_TIMER_MS) throw wrong(name, value, 'at most 24 days')
  return ms
}

/** A name that nobody knows is a mistake in writing. */
export function checkNames(of: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new CacheError(
    'invalid_option',
    `There is no option "${of}.${unknown}". There are: ${known.join(', ')}.`,
  )
}
