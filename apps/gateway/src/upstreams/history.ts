import { Timeline } from '@tidegate/resilience'
import type { Exchange } from '@tidegate/server'
import type { Attempt } from './attempt.ts'
import type { Failure } from './failure.ts'
import type { FailureLog } from './failure-log.ts'
import type { Itinerary } from './itinerary.ts'
import { waitForPlace } from './place.ts'

/** What went wrong with one request on its way; costs nothing while nothing does. */
export class History {
  readonly #itinerary: Itinerary
  readonly #path: string
  readonly #exchange: Exchange
  readonly #log: FailureLog
  #timeline: Timeline | undefined
  /** What failed last. */
  last: Failure | undefined

  constructor(itinerary: Itinerary, path: string, exchange: Exchange, log: FailureLog) {
    this.#itinerary = itinerary
    this.#path = path
    this.#exchange = exchange
    this.#log = log
  }

  waited(ms: number): void {
    const { elapsed } = this.#entries
    this.#entries.add({ kind: 'wait', at: elapsed, ms, reason: 'retry' })
    this.#exchange.timings.push({ name: 'wait', ms })
  }

  /** Times the wait for a place: it is for an upstream's sake, and no work of the gateway's. */
  async inLine(...asked: Parameters<typeof waitForPlace>): ReturnType<typeof waitForPlace> {
    const from = performance.now()
    const place = await waitForPlace(...asked)
    this.#exchange.timings.push({ name: 'queue', ms: performance.now() - from })
    return place
  }

  /** Gives up an attempt that was slower. What it was waited for alone, before the other, is its own time. */
  outrun(slower: Attempt, winner: Attempt): void {
    const ms = winner.sentAt - slower.sentAt
    if (ms > 0) this.#exchange.timings.push({ name: `attempt-${slower.number}`, ms })
    slower.cancel('lost_race')
  }

  refused(failure: Failure): void {
    this.last = failure
    this.#entries.add({ kind: 'rejected', reason: failure.code })
  }

  hedged(attempt: number): void {
    this.#entries.add({ kind: 'hedge', attempt })
  }

  failed({ endpoint, number, sentAt }: Attempt, failure: Failure): void {
    this.last = failure
    const ms = performance.now() - sentAt
    this.#entries.add({
      kind: 'failure',
      attempt: number,
      ms,
      reason: failure.code,
      endpoint: endpoint.label,
      ...(endpoint.breaker !== undefined && { breaker: endpoint.breaker.state }),
    })
  }

  /** An attempt that failed and is left for another, or for good. */
  dropped(attempt: Attempt, failure: Failure): void {
    this.failed(attempt, failure)
    const ms = performance.now() - attempt.sentAt
    this.#exchange.timings.push({ name: `attempt-${attempt.number}`, ms })
  }

  /** Keeps what happened for operators: the request has failed. */
  record(failure?: Failure): void {
    this.last ??= failure
    const { upstream, attempts } = this.#itinerary
    this.#log.add({
      exchange: this.#exchange,
      path: this.#path,
      upstream: upstream.name,
      attempts,
      code: this.last?.code ?? 'unknown',
      timeline: this.#timeline?.entries ?? [],
    })
  }

  get #entries(): Timeline {
    this.#timeline ??= new Timeline(() => performance.now(), this.#exchange.startedAt)
    return this.#timeline
  }
}
