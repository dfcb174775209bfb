import { RateLimitError } from '../../core/errors.ts'
import type { StoreRequest, Verdict } from '../../core/store.ts'
import type { Batcher } from './batcher.ts'
import { Line, type LineKeeper, type Tiers } from './line.ts'
import type { Moment } from './moment.ts'

/** How many subjects have a line before those that nobody is in are let go of. */
const MOST_LINES = 1_000

/** How a {@link Coalescer} is made. */
export interface CoalescerOptions {
  readonly batcher: Batcher
  readonly tiers: Tiers
  /** How many callers may wait, over all subjects. */
  readonly maxWaiting: number
  readonly moment: () => Moment
}

/**
 * Keeps at most one call on its way for a subject and the policies asked. Those who come meanwhile wait,
 * and go together: equal ones as one ask, decided in the order in which they came.
 */
export class Coalescer implements LineKeeper {
  readonly batcher: Batcher
  readonly tiers: Tiers
  readonly moment: () => Moment
  readonly #maxWaiting: number
  /** Lines stay when nobody is in them, for whoever comes next. */
  #lines = new Map<string, Line[]>()
  #sweepAt = MOST_LINES
  #waiting = 0

  constructor({ batcher, tiers, moment, maxWaiting }: CoalescerOptions) {
    this.batcher = batcher
    this.tiers = tiers
    this.moment = moment
    this.#maxWaiting = maxWaiting
  }

  /** Decides `take`s without ids, now or when those before them are decided. */
  decide(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    if (this.#waiting >= this.#maxWaiting) return Promise.reject(busy(this.#waiting))
    const { promise, resolve, reject } = Promise.withResolvers<readonly Verdict[]>()
    this.#waiting += 1
    this.#lineOf(subject, requests).join({ requests, resolve, reject })
    return promise
  }

  /** Leases tokens for what will be asked, taking none, unless something is on its way already. */
  refill(subject: string, request: StoreRequest): void {
    if (this.#find(subject, [request])?.isIdle === false) return
    this.#lineOf(subject, [request]).refill({ ...request, amount: 0 })
  }

  left(callers: number): void {
    this.#waiting -= callers
  }

  #find(subject: string, requests: readonly StoreRequest[]): Line | undefined {
    return this.#lines.get(subject)?.find((line) => line.isFor(requests))
  }

  #lineOf(subject: string, requests: readonly StoreRequest[]): Line {
    const known = this.#find(subject, requests)
    if (known !== undefined && !known.isStuck) return known
    const line = new Line(subject, requests, this)
    for (const caller of known?.abandon() ?? []) line.join(caller)
    const lines = this.#lines.get(subject)
    if (lines !== undefined) lines.splice(known ? lines.indexOf(known) : 0, known ? 1 : 0, line)
    else this.#begin(subject, line)
    return line
  }

  #begin(subject: string, line: Line): void {
    if (this.#lines.size >= this.#sweepAt) this.#sweep()
    this.#lines.set(subject, [line])
  }

  /**
   * Lets go of lines that nobody is in: of all at once, as a map whose entries come and go keeps what was
   * in it from being collected for long (V8 links the tables that it replaces).
   */
  #sweep(): void {
    const kept = new Map<string, Line[]>()
    for (const [subject, lines] of this.#lines) {
      const used = lines.filter(({ isIdle }) => !isIdle)
      if (used.length > 0) kept.set(subject, used)
    }
    this.#lines = kept
    this.#sweepAt = Math.max(MOST_LINES, 2 * kept.size)
  }
}

function busy(waiting: number): RateLimitError {
  return new RateLimitError(
    'store_busy',
    `redisStore: ${waiting} calls wait for an answer of Redis already. See whether it is slow, and ask less.`,
  )
}
