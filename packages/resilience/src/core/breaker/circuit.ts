import {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  RateLimitedError,
  TimeoutError,
} from '../errors.ts'
import type { CallExecution } from '../execution.ts'
import { type Guard, guardCall, monotonic } from '../guard.ts'
import { checkCount, checkNumber } from '../options.ts'
import type { ExecuteOptions, Work } from '../policy.ts'
import type {
  CircuitBreaker,
  CircuitBreakerOptions,
  CircuitReason,
  CircuitSnapshot,
  CircuitState,
  Permit,
} from './circuit-breaker.ts'
import type { OutcomeWindow } from './outcome-window.ts'
import { createWindow } from './trip.ts'

/** How soon to ask again while all probes are out. */
const PROBE_RETRY_MS = 1000

/** The state machine behind {@link CircuitBreaker}. */
export class Circuit implements CircuitBreaker {
  readonly #now: () => number
  readonly #window: OutcomeWindow
  readonly #slowMs: number
  /** Whether verdicts need the clock. */
  readonly #timed: boolean
  readonly #openForMs: number
  readonly #probes: number
  readonly #isFailure: (error: unknown) => boolean
  readonly #onStateChange: CircuitBreakerOptions['onStateChange']
  readonly #guard: Guard = (work, execution) => this.#run(work, execution)
  #state: CircuitState = 'closed'
  /** Counts the changes of state: permits of an earlier one are void. */
  #generation = 0
  /** When a probe is due: the first one while open; half-open, one in place of those without verdict. */
  #dueAt = 0
  #probesOut = 0
  #probesSucceeded = 0

  constructor(options: CircuitBreakerOptions) {
    const trip = options.trip ?? { kind: 'consecutive' }
    this.#now = options.now ?? monotonic
    this.#window = createWindow(trip)
    this.#slowMs = ('slowMs' in trip ? trip.slowMs : undefined) ?? Number.POSITIVE_INFINITY
    this.#timed = trip.kind === 'time' || this.#slowMs < Number.POSITIVE_INFINITY
    this.#openForMs = checkNumber('openForMs', options.openForMs ?? 30_000, 0, Infinity)
    this.#probes = checkCount('halfOpen.probes', options.halfOpen?.probes ?? 1, 1)
    this.#isFailure = options.isFailure ?? (() => true)
    this.#onStateChange = options.onStateChange
  }

  get state(): CircuitState {
    return this.#state === 'open' && this.#isDue() ? 'half-open' : this.#state
  }

  get canEnter(): boolean {
    return this.#state === 'closed' || this.#hasPlace || this.#isDue()
  }

  get retryAfterMs(): number {
    if (this.#state === 'closed' || this.#hasPlace) return 0
    const wait = Math.max(0, Math.ceil(this.#dueAt - this.#now()))
    return this.#state === 'open' ? wait : Math.min(wait, PROBE_RETRY_MS)
  }

  tryEnter(): Permit | undefined {
    if (this.#state !== 'closed' && !this.#tryProbe()) return undefined
    return new CircuitPermit(this, this.#generation, this.#timed ? this.#now() : 0)
  }

  execute<T>(work: Work<T>, options?: ExecuteOptions): Promise<T> {
    return guardCall(this.#guard, work, options, this.#now)
  }

  open(forMs = this.#openForMs): void {
    this.#dueAt = this.#now() + checkNumber('forMs', forMs, 0, Infinity)
    if (this.#state !== 'open') this.#change('open', 'manual')
  }

  close(): void {
    this.#window.clear()
    if (this.#state !== 'closed') this.#change('closed', 'manual')
  }

  snapshot(): CircuitSnapshot {
    const { state, retryAfterMs } = this
    return { state, retryAfterMs, ...this.#window.counts(this.#now()) }
  }

  /** The verdict of a permit. */
  settle(generation: number, startedAt: number, failed: boolean): void {
    if (generation !== this.#generation) return
    const now = this.#timed ? this.#now() : 0
    const slow = now - startedAt > this.#slowMs
    if (this.#state === 'half-open') {
      this.#settleProbe(failed, slow)
    } else {
      const reason = this.#window.record(failed, slow, now)
      if (reason !== undefined) this.#trip(reason)
    }
  }

  /** The end of a permit without a verdict. */
  release(generation: number): void {
    if (generation === this.#generation && this.#state === 'half-open') this.#probesOut -= 1
  }

  async #run<T>(work: Work<T>, execution: CallExecution): Promise<T> {
    const permit = this.tryEnter()
    if (permit === undefined) throw this.#refusal(execution)
    try {
      const result = await work(execution)
      if (execution.aborted) permit[this.#verdict(undefined, execution)]()
      else permit.succeed()
      return result
    } catch (error) {
      permit[this.#verdict(error, execution)]()
      throw error
    }
  }

  #refusal({ attempt, timeline }: CallExecution): CircuitOpenError {
    const error = new CircuitOpenError(this.retryAfterMs)
    timeline.add({ kind: 'rejected', attempt, reason: error.code, breaker: this.state })
    return error
  }

  /** What a call says that has failed, or that has ended after its abort. */
  #verdict(error: unknown, { aborted, abortReason }: CallExecution): keyof Permit {
    if (aborted && !isAttemptLimit(abortReason)) return 'release'
    const blamed = aborted ? abortReason : error
    if (saysNothing(blamed)) return 'release'
    return this.#isFailure(blamed) ? 'fail' : 'succeed'
  }

  get #hasPlace(): boolean {
    return this.#state === 'half-open' && this.#probesOut + this.#probesSucceeded < this.#probes
  }

  #isDue(): boolean {
    return this.#now() >= this.#dueAt
  }

  #tryProbe(): boolean {
    if (!this.canEnter) return false
    this.#dueAt = this.#now() + this.#openForMs
    if (this.#state === 'half-open') {
      this.#probesOut += 1
      return true
    }
    this.#probesOut = 1
    this.#probesSucceeded = 0
    this.#change('half-open', 'open_time_over')
    return true
  }

  #settleProbe(failed: boolean, slow: boolean): void {
    if (failed || slow) {
      this.#trip(failed ? 'probe_failed' : 'probe_slow')
      return
    }
    this.#probesOut -= 1
    this.#probesSucceeded += 1
    if (this.#probesSucceeded < this.#probes) return
    this.#window.clear()
    this.#change('closed', 'probes_succeeded')
  }

  #trip(reason: CircuitReason): void {
    this.#dueAt = this.#now() + this.#openForMs
    this.#change('open', reason)
  }

  #change(to: CircuitState, reason: CircuitReason): void {
    const from = this.#state
    this.#state = to
    this.#generation += 1
    this.#onStateChange?.({ from, to, reason })
  }
}

/** Whether an error says that the callee wasn't called, or that nobody waited for its answer. */
function saysNothing(error: unknown): boolean {
  return (
    error instanceof AbortedError ||
    error instanceof BulkheadFullError ||
    error instanceof CircuitOpenError ||
    error instanceof RateLimitedError ||
    (error instanceof TimeoutError && error.limit === 'queue')
  )
}

function isAttemptLimit(reason: unknown): boolean {
  return reason instanceof TimeoutError && reason.limit === 'attempt'
}

/** Small on purpose: every call makes one. */
class CircuitPermit implements Permit {
  readonly #circuit: Circuit
  readonly #startedAt: number
  /** -1 once there is a verdict: no state has that number. */
  #generation: number

  constructor(circuit: Circuit, generation: number, startedAt: number) {
    this.#circuit = circuit
    this.#generation = generation
    this.#startedAt = startedAt
  }

  succeed(): void {
    this.#circuit.settle(this.#spend(), this.#startedAt, false)
  }

  fail(): void {
    this.#circuit.settle(this.#spend(), this.#startedAt, true)
  }

  release(): void {
    this.#circuit.release(this.#spend())
  }

  #spend(): number {
    const generation = this.#generation
    this.#generation = -1
    return generation
  }
}
