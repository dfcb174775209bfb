/** Every literal `code` of this package's errors. */
export type EventsErrorCode =
  | 'invalid_option'
  | 'invalid_id'
  | 'not_joinable'
  | 'out_of_order'
  | 'too_large'
  | 'lagging'
  | 'unavailable'
  | 'closed'

/** What every error of this package is: a wrong call, with a literal `code`. */
export class EventsError extends Error {
  readonly code: EventsErrorCode

  constructor(code: EventsErrorCode, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** Recognises an error of this package, also one of another copy of it. */
export function isEventsError(error: unknown): error is EventsError {
  if (error instanceof EventsError) return true
  return error instanceof Error && error.name === 'EventsError' && 'code' in error
}

/**
 * Refuses what is no whole number from `lowest`.
 *
 * @throws EventsError `invalid_option`.
 */
export function checkWhole(option: string, value: number, lowest: number): number {
  if (Number.isSafeInteger(value) && value >= lowest) return value
  const given = typeof value === 'string' ? JSON.stringify(value) : String(value)
  const wanted = `a whole number from ${lowest}`
  throw new EventsError('invalid_option', `${option} is ${given}; it has to be ${wanted}.`)
}
