import { describe } from './duration.ts'
import { HealthError } from './errors.ts'

/** What is thrown for an option that can't be meant. */
export function wrong(name: string, value: unknown, wanted: string): HealthError {
  return new HealthError('invalid_option', `${name} is ${describe(value)}; it has to be ${wanted}.`)
}

/** A whole number from `least`. */
export function count(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw wrong(name, value, `a whole number from ${least}`)
}

/** A share: more than 0, at most 1. */
export function ratio(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw wrong(name, value, 'a number above 0 and up to 1')
}

/** A function; nothing else can be called later. */
export function callable<T>(name: string, value: T): T {
  if (typeof value === 'function') return value
  throw wrong(name, value, 'a function')
}

/** A name of a check or a step: it stands in paths, labels and logs. */
export function checkName(what: string, name: unknown): string {
  if (typeof name === 'string' && /^[\w.:-]{1,64}$/.test(name)) return name
  throw wrong(what, name, 'up to 64 letters, digits, "-", "_", "." and ":"')
}

/** An object with none but known names; one that nobody knows is a mistake in writing. */
export function checkNames(of: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrong(of, options, `an object of ${known.join(', ')}`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new HealthError(
    'invalid_option',
    `There is no option "${of}.${unknown}". There are: ${known.join(', ')}.`,
  )
}
