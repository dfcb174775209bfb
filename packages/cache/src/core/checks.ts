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

/** An array, as a text or another iterable would be taken apart. */
export function list<T>(name: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value
  throw wrong(name, value, 'an array')
}

/** A function, if there is anything. */
export function optionalFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(name, value, 'a function')
}

/** An object with none but known names; one that nobody knows is a mistake in writing. */
export function checkNames(of: string, options: object, known: readonly string[]): void {
  if (!isObject(options)) throw wrong(of, options, `an object of ${known.join(', ')}`)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new CacheError(
    'invalid_option',
    `There is no option "${of}.${unknown}". There are: ${known.join(', ')}.`,
  )
}

/** Neither `null`, nor a list, nor what has no properties of its own. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
