/** Every literal `code` of this package's errors. */
export type RateLimitErrorCode =
  | 'invalid_limit'
  | 'invalid_request'
  | 'never_allowed'
  | 'store_busy'
  | 'store_timeout'

/** What every error of this package is: a fault, with a literal `code`. A denial is never thrown. */
export class RateLimitError<Code extends RateLimitErrorCode = RateLimitErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** A limiter was asked for what it can't do: an unknown policy, a cost that is no count. */
export class InvalidRequestError extends RateLimitError<'invalid_request'> {
  constructor(message: string) {
    super('invalid_request', message)
  }
}

/** The cost is more than the policy ever holds: waiting doesn't help, asking for less does. */
export class NeverAllowedError extends RateLimitError<'never_allowed'> {
  readonly policy: string
  readonly cost: number
  /** The largest cost that the policy can allow at once. */
  readonly capacity: number

  constructor(policy: string, cost: number, capacity: number) {
    super(
      'never_allowed',
      `A cost of ${cost} is never allowed by policy "${policy}", which holds ${capacity} at most. Ask for less.`,
    )
    this.policy = policy
    this.cost = cost
    this.capacity = capacity
  }
}

/** Recognises an error of this package, also one of another copy of it. */
export function isRateLimitError(error: unknown): error is RateLimitError {
  if (error instanceof RateLimitError) return true
  if (!(error instanceof Error && 'code' in error)) return false
  return CODES.some((code) => code === error.code)
}

const CODES: readonly RateLimitErrorCode[] = [
  'invalid_limit',
  'invalid_request',
  'never_allowed',
  'store_busy',
  'store_timeout',
]
