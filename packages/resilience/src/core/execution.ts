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
  #controller: AbortController | undefined
  #combined: AbortSignal | undefined
  #listeners: Set<() => void> | undefined
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
    this.#controller?.abort(reason)
    for (const listener of this.#listeners ?? []) listener()
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
    if (this.#combined !== undefined) return this.#combined
    this.#controller = new AbortController()
    if (this.#cancelled) this.#controller.abort(this.#reason)
    const own = this.#controller.signal
    const outer = this.#outer.abortSignal
    // It follows the outer signal also after the work has returned: a body may still be read.
    this.#combined = outer === undefined ? own : AbortSignal.any([outer, own])
    return this.#combined
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
