import { AbortedError } from './errors.ts'
import type { ExecuteOptions, Execution } from './policy.ts'
import { Timeline, type TimelineEntry } from './timeline.ts'

/** What all executions of one call have in common. */
class Call {
  /** The try that was begun last. */
  attempt = 1
  readonly #now: () => number
  readonly #startedAt: number
  #timeline: Timeline | undefined

  constructor(now: () => number, timeline: Timeline | undefined) {
    this.#now = now
    this.#startedAt = now()
    this.#timeline = timeline
  }

  get timeline(): Timeline {
    this.#timeline ??= new Timeline(this.#now, this.#startedAt)
    return this.#timeline
  }

  get lastEntry(): TimelineEntry | undefined {
    return this.#timeline?.last
  }
}

/**
 * What our own policies tell each other and the work. Nothing in it is made before somebody asks: most
 * calls need neither a history nor a signal.
 */
export class CallExecution implements Execution {
  readonly call: Call
  readonly attempt: number
  readonly #outer: CallExecution | undefined
  #signal: AbortSignal | undefined

  protected constructor(
    call: Call,
    attempt: number,
    outer: CallExecution | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.call = call
    this.attempt = attempt
    this.#outer = outer
    this.#signal = signal
    call.attempt = attempt
  }

  static begin(options: ExecuteOptions | undefined, now: () => number): CallExecution {
    const call = new Call(now, options?.timeline)
    return new CallExecution(call, options?.attempt ?? 1, undefined, options?.signal)
  }

  /** The same for a further try. */
  forAttempt(attempt: number): CallExecution {
    return new CallExecution(this.call, attempt, this, undefined)
  }

  get timeline(): Timeline {
    return this.call.timeline
  }

  /** What was last added to the history, which isn't made for it. */
  get lastEntry(): TimelineEntry | undefined {
    return this.call.lastEntry
  }

  get signal(): AbortSignal {
    if (this.#outer !== undefined) return this.#outer.signal
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  /** The signal if anything may abort it. */
  get abortSignal(): AbortSignal | undefined {
    return this.#outer === undefined ? this.#signal : this.#outer.abortSignal
  }

  get aborted(): boolean {
    return this.#outer === undefined ? this.#signal?.aborted === true : this.#outer.aborted
  }

  get abortReason(): unknown {
    return this.#outer === undefined ? this.#signal?.reason : this.#outer.abortReason
  }

  /** The caller's own signal. */
  get callerSignal(): AbortSignal | undefined {
    return this.#outer === undefined ? this.#signal : this.#outer.callerSignal
  }

  /** Calls `listener` with the reason when a policy cancels the call; as long as the call lives. */
  addCancelListener(listener: (reason: unknown) => void): void {
    this.#outer?.addCancelListener(listener)
  }

  /** Calls `listener` when the result is no longer wanted, until {@link removeAbortListener}. */
  addAbortListener(listener: () => void): void {
    if (this.#outer !== undefined) this.#outer.addAbortListener(listener)
    else this.#signal?.addEventListener('abort', listener, { once: true })
  }

  removeAbortListener(listener: () => void): void {
    if (this.#outer !== undefined) this.#outer.removeAbortListener(listener)
    else this.#signal?.removeEventListener('abort', listener)
  }

  /** @throws AbortedError if the result is no longer wanted. */
  throwIfAborted(): void {
    if (this.aborted) throw this.abortedError()
  }

  abortedError(): AbortedError {
    return new AbortedError('Aborted by the caller.', { cause: this.abortReason })
  }
}

/** An execution that a policy can end by itself, and that ends with the outer one. */
export class CancellableExecution extends CallExecution {
  readonly #outer: CallExecution
  #own: AbortController | undefined
  #signal: AbortSignal | undefined
  #listeners: Set<(reason: unknown) => void> | undefined
  #cancelled = false
  #reason: unknown

  constructor(outer: CallExecution, attempt = outer.attempt) {
    super(outer.call, attempt, outer, undefined)
    this.#outer = outer
  }

  /** Aborts the signal. The policy that does so has settled its own promise before. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#reason = reason
    this.#own?.abort(reason)
    for (const listener of this.#listeners ?? []) listener(reason)
  }

  override addCancelListener(listener: (reason: unknown) => void): void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    super.addCancelListener(listener)
  }

  // Listeners spare a call inside the signal that only the work may ask for.
  override addAbortListener(listener: () => void): void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    super.addAbortListener(listener)
  }

  override removeAbortListener(listener: () => void): void {
    this.#listeners?.delete(listener)
    super.removeAbortListener(listener)
  }

  override get signal(): AbortSignal {
    this.#signal ??= this.#createSignal()
    return this.#signal
  }

  /**
   * The caller's abort reaches it also after the work has returned, as a body may still be read; by
   * `any`, since a listener would stay for as long as the caller's signal lives.
   */
  #createSignal(): AbortSignal {
    const own = new AbortController()
    this.#own = own
    if (this.aborted) own.abort(this.abortReason)
    this.#outer.addCancelListener((reason) => own.abort(reason))
    const { callerSignal } = this
    return callerSignal === undefined ? own.signal : AbortSignal.any([callerSignal, own.signal])
  }

  override get abortSignal(): AbortSignal {
    return this.signal
  }

  override get aborted(): boolean {
    return this.#cancelled || this.#outer.aborted
  }

  override get abortReason(): unknown {
    return this.#cancelled ? this.#reason : this.#outer.abortReason
  }
}
