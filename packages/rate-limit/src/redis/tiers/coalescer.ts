import { RateLimitError } from '../../core/errors.ts'
import type { StoreRequest, Verdict } from '../../core/store.ts'
import type { Batcher } from './batcher.ts'
import { Line, type LineKeeper, type Tiers } from './line.ts'
import type { Moment } from './moment.ts'

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
  readonly #lines = new Map<string, Line[]>()
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
    if (this.#find(subject, [request]) !== undefined) return
    this.#lineOf(subject, [request]).refill({ ...request, amount: 0 })
  }

  left(callers: number): void {
    this.#waiting -= callers
  }

  done(line: Line): void {
    const others = this.#lines.get(line.subject)?.filter((other) => other !== line) ?? []
    if (others.length === 0) this.#lines.delete(line.subject)
    else this.#lines.set(line.subject, others)
  }

  #find(subject: string, requests: readonly StoreRequest[]): Line | undefined {
    return this.#lines.get(subject)?.find((line) => line.isFor(requests))
  }

  #lineOf(subject: string, requests: readonly StoreRequest[]): Line {
    const known = this.#find(subject, requests)
    if (known !== undefined && !known.isStuck) return known
    if (known !== undefined) this.done(known)
    const line = new Line(subject, requests, this)
    for (const caller of known?.abandon() ?? []) line.join(caller)
    const lines = this.#lines.get(subject)
    if (lines === undefined) this.#lines.set(subject, [line])
    else lines.push(line)
    return line
  }
}

function busy(waiting: number): RateLimitError {
  return new RateLimitError(
    'store_busy',
    `redisStore: ${waiting} calls wait for an answer of Redis already. See whether it is slow, and ask less.`,
  )
}
