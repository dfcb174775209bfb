import type { Policy } from '../policy.ts'
import { Circuit } from './circuit.ts'
import type { OutcomeCounts, OutcomeReason } from './outcome-window.ts'
import type { Trip } from './trip.ts'

/** `half-open`: a few calls are let through to see whether it works again. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** Why a circuit changed its state. */
export type CircuitReason =
  | OutcomeReason
  | 'open_time_over'
  | 'probe_failed'
  | 'probe_slow'
  | 'probes_succeeded'
  | 'manual'

/** A change of a circuit's state. */
export interface CircuitEvent {
  readonly from: CircuitState
  readonly to: CircuitState
  readonly reason: CircuitReason
}

/** How a breaker is made. */
export interface CircuitBreakerOptions {
  /** What opens the circuit. Default: 5 failures in a row. */
  readonly trip?: Trip | undefined
  /** How long the circuit stays open before it is probed, in milliseconds. Default 30 s. */
  readonly openForMs?: number | undefined
  /** `probes`: how many calls are let through half-open; all must succeed to close. Default 1. */
  readonly halfOpen?: { readonly probes?: number | undefined } | undefined
  /**
   * Whether an error that `execute` meets counts as a failure; one that doesn't counts as a success, as
   * the callee has answered. Not asked about calls that were aborted or never made: they don't count.
   * Default: every error is a failure.
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined
  /**
   * Told after each change; from open to half-open by the first call that asks then. What it throws ends
   * the call that brought the change about.
   */
  readonly onStateChange?: ((event: CircuitEvent) => void) | undefined
  /** A clock in milliseconds that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** The right to make one call. The first method called is the verdict; later ones do nothing. */
export interface Permit {
  /** The call did well. */
  succeed(): void
  /** The call failed in a way that says something about the callee. */
  fail(): void
  /** The call says nothing: it was aborted or never made. */
  release(): void
}

/** What a breaker looks like at one moment. */
export interface CircuitSnapshot extends OutcomeCounts {
  readonly state: CircuitState
  readonly retryAfterMs: number
}

/** Stops calling what keeps failing, and looks now and then whether it works again. */
export interface CircuitBreaker extends Policy {
  /** `half-open` as soon as the next call would be let through as a probe. */
  readonly state: CircuitState
  /**
   * Milliseconds until a call may be let through; 0 when it would be now. While all probes are out
   * nobody knows: then at most 1000, as a verdict usually comes soon. `Infinity` after `open(Infinity)`.
   */
  readonly retryAfterMs: number
  /** Whether `tryEnter` would let a call through; changes nothing. */
  readonly canEnter: boolean
  /**
   * Lets a call through, or doesn't: never waits, never throws. The permit must be given a verdict,
   * which is ignored if the circuit has changed its state since. A probe that has none after
   * `openForMs` no longer keeps the next one waiting.
   */
  tryEnter(): Permit | undefined
  /** Opens the circuit for `forMs`, by default `openForMs`; `Infinity`: until `close()`. */
  open(forMs?: number): void
  /** Closes the circuit and forgets the past. */
  close(): void
  /** The state, and the outcomes it was decided by. */
  snapshot(): CircuitSnapshot
}

/**
 * Makes a circuit breaker: one for each thing that can fail by itself, such as an endpoint. `execute`
 * refuses with a CircuitOpenError; `tryEnter` is for calls that end later than their promise, such as
 * streamed bodies.
 *
 * @throws RangeError for options that make no sense.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return new Circuit(options)
}
