import { createHedge } from '../core/hedge.ts'
import type { Policy } from '../core/policy.ts'
import { reasonOf } from '../core/timeline.ts'
import { Call, type Delivery } from './call.ts'
import { EndpointSet } from './endpoints.ts'
import type { HttpClientOptions } from './options.ts'
import type { PreparedCall } from './request.ts'
import type { Settings } from './settle-options.ts'
import { BodyStream } from './stream.ts'

/** How often what happened. */
export interface CallTotals {
  readonly calls: number
  /** Calls that ended with an error, statuses of 400 and above included where those are errors. */
  readonly failed: number
  /** How often calls were sent beyond their first time, hedges included. */
  readonly repeats: number
}

/** Sends calls, hedged where that is asked for, and keeps the count. */
export class Sender {
  readonly endpoints: EndpointSet
  readonly #settings: Settings
  readonly #hedge: Policy | undefined
  #calls = 0
  #failed = 0
  #repeats = 0

  constructor(options: HttpClientOptions, settings: Settings) {
    this.#settings = settings
    this.endpoints = new EndpointSet(options, settings)
    this.#hedge = options.hedge && this.#createHedge(options.hedge)
  }

  get totals(): CallTotals {
    return { calls: this.#calls, failed: this.#failed, repeats: this.#repeats }
  }

  async send(prepared: PreparedCall, signal: AbortSignal | undefined): Promise<Delivery> {
    this.#calls += 1
    this.#settings.retry?.budget?.onCall()
    const call = new Call(this.endpoints, this.#settings, prepared)
    try {
      const delivery = await this.#run(call, prepared, signal)
      this.#ended(call, prepared, delivery.status, undefined)
      return delivery
    } catch (error) {
      this.#failed += 1
      this.#ended(call, prepared, undefined, error)
      throw error
    }
  }

  #run(call: Call, prepared: PreparedCall, signal: AbortSignal | undefined): Promise<Delivery> {
    if (this.#hedge === undefined || !prepared.repeatable || !prepared.replayable) {
      return call.run(signal)
    }
    return this.#hedge.execute((execution) => call.run(execution.signal), {
      signal,
      timeline: call.timeline,
    })
  }

  #ended(call: Call, { method }: PreparedCall, status: number | undefined, error: unknown): void {
    const { attempts } = call
    this.#repeats += Math.max(0, attempts - 1)
    this.#settings.emit?.({
      type: 'call',
      method,
      attempts,
      ms: call.elapsedMs,
      status,
      error: error === undefined ? undefined : reasonOf(error),
    })
  }

  #createHedge({ after, ratio }: NonNullable<HttpClientOptions['hedge']>): Policy {
    const { now, emit } = this.#settings
    return createHedge({
      after,
      budget: { ratio },
      now,
      onHedge: ({ delayMs }) => emit?.({ type: 'hedge', afterMs: delayMs }),
      onDiscarded: discard,
    })
  }
}

/** What a loser of a hedge brings all the same. */
function discard(delivery: unknown): void {
  const isDelivery = typeof delivery === 'object' && delivery !== null && 'body' in delivery
  if (isDelivery && delivery.body instanceof BodyStream) delivery.body.cancel()
}
