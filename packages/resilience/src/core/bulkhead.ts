import { BulkheadFullError } from './errors.ts'
import type { CallExecution } from './execution.ts'
import { type Guard, guardCall } from './guard.ts'
import { checkCount, checkNumber, MAX_TIMER_MS } from './options.ts'
import type { ExecuteOptions, Policy, Work } from './policy.ts'
import { abortedInLine, WaitingLine } from './waiting-line.ts'

/** How a bulkhead is made. */
export interface BulkheadOptions {
  /** How many calls may run at a time. */
  readonly max: number
  /** How many more may wait for a place. Default 0. */
  readonly queue?: number | undefined
  /** How long each may wait, in milliseconds. Default: as long as its caller does. */
  readonly queueTimeoutMs?: number | undefined
  /** Told when a call finds neither a place nor room to wait. */
  readonly onRejected?: (() => void) | undefined
}

/** A place in a bulkhead. */
export interface Slot {
  /** Gives the place to the longest waiting caller, or back. Only the first call does. */
  release(): void
}

/** Lets only so many calls run at a time; further ones wait in the order they came, or are refused. */
export interface Bulkhead extends Policy {
  /** Places taken. */
  readonly active: number
  /** Callers waiting. */
  readonly queued: number
  /** Takes a place if one is free now. Nobody who waits is overtaken. */
  tryAcquire(): Slot | undefined
  /**
   * Takes a place, waiting in line for it if need be. A caller that aborts leaves the line at once.
   *
   * @throws BulkheadFullError when the line is full.
   * @throws TimeoutError (limit `queue`) after `queueTimeoutMs`.
   * @throws AbortedError when `signal` aborts first.
   */
  acquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<Slot>
}

/**
 * Makes a bulkhead: one for each thing that only so many calls should use at a time.
 *
 * @throws RangeError for options that make no sense.
 */
export function createBulkhead(options: BulkheadOptions): Bulkhead {
  return new FairBulkhead(options)
}

class FairBulkhead implements Bulkhead {
  readonly #max: number
  readonly #queue: number
  readonly #queueTimeoutMs: number | undefined
  readonly #onRejected: (() => void) | undefined
  readonly #line = new WaitingLine<Slot>()
  readonly #guard: Guard = (work, execution) => this.#run(work, execution)
  #active = 0

  constructor({ max, queue = 0, queueTimeoutMs, onRejected }: BulkheadOptions) {
    this.#max = checkCount('max', max, 1)
    this.#queue = checkCount('queue', queue, 0)
    if (queueTimeoutMs !== undefined) checkNumber('queueTimeoutMs', queueTimeoutMs, 1, MAX_TIMER_MS)
    this.#queueTimeoutMs = queueTimeoutMs
    this.#onRejected = onRejected
  }

  get active(): number {
    return this.#active
  }

  get queued(): number {
    return this.#line.length
  }

  tryAcquire(): Slot | undefined {
    // Whoever waits does so because all places are taken, and a freed one is handed over directly.
    if (this.#active >= this.#max) return undefined
    this.#active += 1
    return new Place(this)
  }

  async acquire({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Slot> {
    if (signal?.aborted) throw abortedInLine(signal)
    const slot = this.tryAcquire()
    if (slot !== undefined) return slot
    if (this.#line.length >= this.#queue) {
      this.#onRejected?.()
      throw new BulkheadFullError(
        `All ${this.#max} places are taken and ${this.#queue} callers wait; try again later.`,
      )
    }
    return this.#line.wait(signal, this.#queueTimeoutMs)
  }

  execute<T>(work: Work<T>, options?: ExecuteOptions): Promise<T> {
    return guardCall(this.#guard, work, options)
  }

  /** A place has become free. */
  release(): void {
    if (this.#line.length === 0) this.#active -= 1
    else this.#line.admit(new Place(this))
  }

  async #run<T>(work: Work<T>, execution: CallExecution): Promise<T> {
    const slot = this.tryAcquire() ?? (await this.#enter(execution))
    try {
      execution.throwIfAborted()
      return await work(execution)
    } finally {
      slot.release()
    }
  }

  /** Waits for a place and tells the history of it. */
  async #enter(execution: CallExecution): Promise<Slot> {
    const { attempt, timeline } = execution
    const from = timeline.elapsed
    try {
      return await this.acquire({ signal: execution.abortSignal })
    } catch (error) {
      if (error instanceof BulkheadFullError) {
        timeline.add({ kind: 'rejected', attempt, reason: error.code })
      }
      throw error
    } finally {
      const ms = timeline.elapsed - from
      if (ms > 0) timeline.add({ kind: 'wait', attempt, at: from, ms, reason: 'queue' })
    }
  }
}

class Place implements Slot {
  #bulkhead: FairBulkhead | undefined

  constructor(bulkhead: FairBulkhead) {
    this.#bulkhead = bulkhead
  }

  release(): void {
    const bulkhead = this.#bulkhead
    this.#bulkhead = undefined
    bulkhead?.release()
  }
}
