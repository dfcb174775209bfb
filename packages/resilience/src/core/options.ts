/** What `setTimeout` can wait at most: a longer delay would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647

/**
 * Refuses a number that is out of range when a policy is made, not when it is first needed.
 *
 * @throws RangeError naming the option, what it takes and what it got.
 */
export function checkNumber(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new RangeError(
    `${name} must be a number from ${least} to ${most}, but is ${String(value)}.`,
  )
}

/** Like {@link checkNumber}, for what is counted. */
export function checkCount(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RangeError(`${name} must be a whole number from ${least}, but is ${String(value)}.`)
}
