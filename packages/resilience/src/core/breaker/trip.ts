import { checkCount, checkNumber } from '../options.ts'
import { ConsecutiveWindow } from './consecutive-window.ts'
import { CountWindow } from './count-window.ts'
import type { OutcomeWindow, RateLimits } from './outcome-window.ts'
import { TimeWindow } from './time-window.ts'

/** Opens after so many failures with no success between them. */
export interface ConsecutiveTrip {
  readonly kind: 'consecutive'
  /** Default 5. */
  readonly failures?: number | undefined
}

/** Which shares of the calls looked at open the circuit. */
export interface TripRates {
  /** The share of failures, above 0 and at most 1, from which on the circuit opens. */
  readonly failureRate: number
  /** The same for slow calls; goes with `slowMs`. Default: calls may be as slow as they like. */
  readonly slowRate?: number | undefined
  /** A call that takes longer than this, in milliseconds until its verdict, is slow. */
  readonly slowMs?: number | undefined
}

/** Looks at the last `size` calls, however long ago they were. */
export interface CountTrip extends TripRates {
  readonly kind: 'count'
  readonly size: number
  /** Fewer calls than this open nothing. Default `size`. */
  readonly minimum?: number | undefined
}

/** Looks at the calls that ended in the last `windowMs`. */
export interface TimeTrip extends TripRates {
  readonly kind: 'time'
  /** Milliseconds. */
  readonly windowMs: number
  /** Fewer calls than this open nothing. Default 10. */
  readonly minimum?: number | undefined
}

/** What opens a circuit. */
export type Trip = ConsecutiveTrip | CountTrip | TimeTrip

/** @throws RangeError for options that make no sense. */
export function createWindow(trip: Trip): OutcomeWindow {
  switch (trip.kind) {
    case 'consecutive':
      return new ConsecutiveWindow(checkCount('trip.failures', trip.failures ?? 5, 1))
    case 'count': {
      const size = checkCount('trip.size', trip.size, 1)
      const limits = rateLimits(trip, trip.minimum ?? size)
      if (limits.minimum > size) {
        throw new RangeError(
          `trip.minimum (${limits.minimum}) must be at most trip.size (${size}), or the circuit never opens.`,
        )
      }
      return new CountWindow(size, limits)
    }
    case 'time':
      return new TimeWindow(
        checkNumber('trip.windowMs', trip.windowMs, 1, Number.MAX_SAFE_INTEGER),
        rateLimits(trip, trip.minimum ?? 10),
      )
  }
}

function rateLimits(trip: TripRates, minimum: number): RateLimits {
  if ((trip.slowRate === undefined) !== (trip.slowMs === undefined)) {
    throw new RangeError('trip.slowRate and trip.slowMs go together: give both or neither.')
  }
  if (trip.slowMs !== undefined) checkNumber('trip.slowMs', trip.slowMs, 0, Number.MAX_SAFE_INTEGER)
  return {
    failureRate: share('trip.failureRate', trip.failureRate),
    slowRate: trip.slowRate === undefined ? undefined : share('trip.slowRate', trip.slowRate),
    minimum: checkCount('trip.minimum', minimum, 1),
  }
}

function share(name: string, value: number): number {
  if (value > 0 && value <= 1) return value
  throw new RangeError(`${name} must be above 0 and at most 1 (0.5 is half), not ${value}.`)
}
