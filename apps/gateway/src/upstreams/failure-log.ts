import type { TimelineEntry } from '@tidegate/resilience'
import type { Exchange } from '@tidegate/server'

/** A request that an upstream failed. */
export interface FailedCall {
  readonly exchange: Exchange
  readonly path: string
  readonly upstream: string
  readonly attempts: number
  readonly code: string
  readonly timeline: readonly TimelineEntry[]
}

const KEPT = 100

/** The last failed requests with what was tried for each: for operators. */
export class FailureLog {
  #calls: object[] = []

  add({ exchange, path, upstream, attempts, code, timeline }: FailedCall): void {
    const { requestId, method, route, startedAt } = exchange
    if (this.#calls.length >= KEPT) this.#calls.shift()
    this.#calls.push({
      request_id: requestId,
      at: new Date().toISOString(),
      method,
      path,
      route,
      upstream,
      code,
      attempts,
      duration_ms: round(performance.now() - startedAt),
      timeline: timeline.map((entry) => ({
        ...entry,
        at: round(entry.at),
        ...(entry.ms !== undefined && { ms: round(entry.ms) }),
      })),
    })
  }

  /** The newest first. */
  list(): readonly object[] {
    return this.#calls.toReversed()
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
