import type { TimelineEntry } from './timeline.ts'

/** What an error of this package can be made with. */
export interface ResilienceErrorOptions {
  readonly cause?: unknown
}

/**
 * What every error of this package is: a literal `code`, and the `timeline` of the call that it ended,
 * filled in by the outermost policy.
 */
export abstract class ResilienceError<Code extends string = string> extends Error {
  abstract readonly code: Code
  /** What happened until then, in order; instants are milliseconds since the call began. */
  timeline: readonly TimelineEntry[] = []
  /** Whether another try may do better. A retry heeds it unless it is told otherwise. */
  readonly retryable: boolean = true

  constructor(message: string, options: ResilienceErrorOptions = {}) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The caller's own signal ended the call. Its reason is the `cause`. Never a failure of the callee. */
export class AbortedError extends ResilienceError<'aborted'> {
  readonly code = 'aborted'
  override readonly retryable = false
}

/** A time limit ran out. */
export class TimeoutError extends ResilienceError<'timeout'> {
  readonly code = 'timeout'
  /** The limit, in milliseconds. */
  readonly limitMs: number
  /** Which limit it was. */
  readonly limit: TimeoutLimit
  /** Not when there is no time left for it, nor when so many wait that this one's time ran out. */
  override readonly retryable: boolean

  constructor(limit: TimeoutLimit, limitMs: number, options: ResilienceErrorOptions = {}) {
    super(`Not done within ${limitMs} ms (limit: ${limit}).`, options)
    this.limit = limit
    this.retryable = limit !== 'total' && limit !== 'queue'
    this.limitMs = limitMs
  }
}

/** `attempt`: one try; `total`: all of them; the others are steps of an HTTP exchange. */
export type TimeoutLimit = 'attempt' | 'total' | 'connect' | 'first_byte' | 'idle' | 'queue'

/** The circuit is open: the call was refused without being made. */
export class CircuitOpenError extends ResilienceError<'circuit_open'> {
  readonly code = 'circuit_open'
  /** Milliseconds until the breaker lets a probe through. */
  readonly retryAfterMs: number

  constructor(retryAfterMs: number, options: ResilienceErrorOptions = {}) {
    super(`The circuit is open; the next probe is let through in ${retryAfterMs} ms.`, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** All places and the whole queue of a bulkhead are taken: the call was refused without being made. */
export class BulkheadFullError extends ResilienceError<'bulkhead_full'> {
  readonly code = 'bulkhead_full'
  override readonly retryable = false
}

/** The limit callback refused the call. */
export class RateLimitedError extends ResilienceError<'rate_limited'> {
  readonly code = 'rate_limited'
  /** Milliseconds after which it may be tried again, when known. */
  readonly retryAfterMs: number | undefined

  constructor(retryAfterMs?: number, options: ResilienceErrorOptions = {}) {
    const when = retryAfterMs === undefined ? '' : `; try again in ${retryAfterMs} ms`
    super(`Refused by the limit${when}.`, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** Recognises a `ResilienceError`, also one of another copy of this package. */
export function isResilienceError(error: unknown): error is ResilienceError {
  if (error instanceof ResilienceError) return true
  return error instanceof Error && 'code' in error && 'timeline' in error && 'retryable' in error
}
