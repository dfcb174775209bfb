import type { Pool } from 'undici'
import {
  type CircuitBreaker,
  type CircuitState,
  createCircuitBreaker,
  type Permit,
} from '../core/breaker/circuit-breaker.ts'
import { type Bulkhead, createBulkhead, type Slot } from '../core/bulkhead.ts'
import { createQuantile, type Quantile } from '../core/quantile.ts'
import { reasonOf } from '../core/timeline.ts'
import { type ConnectionCounts, createPool } from './connector.ts'
import type { DiscoveredEndpoint } from './discovery.ts'
import type { Destination, Verdict } from './exchange-plan.ts'
import type { Settings } from './settle-options.ts'

/** How an endpoint has been doing. Latencies are milliseconds to the response's head. */
export interface EndpointStats {
  readonly endpoint: string
  readonly weight: number
  readonly breaker: CircuitState
  /** Attempts under way, their bodies included. */
  readonly pending: number
  /** Attempts waiting for a place. */
  readonly queued: number
  readonly attempts: number
  /** Attempts that spoke against the endpoint. */
  readonly failures: number
  readonly connections: { readonly open: number; readonly opened: number }
  /** Over the last attempts; absent until there are enough. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number } | undefined
  readonly lastError: { readonly reason: string; readonly at: Date } | undefined
}

/** One address that calls go to: its connections, its limits, and how it has been doing. */
export class Endpoint {
  /** Its URL, without a slash at the end. */
  readonly label: string
  /** What calls here have to send as `host`, where that isn't the URL's. */
  readonly host: string | undefined
  /** Goes before each call's path. */
  readonly basePath: string
  readonly pool: Pool
  readonly bulkhead: Bulkhead
  readonly breaker: CircuitBreaker | undefined
  readonly latency: Quantile = createQuantile()
  readonly #settings: Settings
  readonly #connections: ConnectionCounts = { open: 0, opened: 0 }
  #attempts = 0
  #failures = 0
  #coolUntil = 0
  #lastError: { readonly reason: string; readonly at: Date } | undefined
  #expected = 0
  #retirement: PromiseWithResolvers<void> | undefined
  weight: number
  pending = 0

  constructor({ url, weight = 1, host }: DiscoveredEndpoint, settings: Settings) {
    const { origin, pathname } = new URL(url)
    this.host = host
    this.basePath = pathname.replace(/\/+$/, '')
    this.label = origin + this.basePath
    this.weight = weight
    this.#settings = settings
    this.pool = createPool(origin, settings, this.#connections)
    this.bulkhead = createBulkhead(settings.bulkhead)
    this.breaker =
      settings.breaker &&
      createCircuitBreaker({
        trip: { kind: 'consecutive', failures: settings.breaker.failures },
        openForMs: settings.breaker.openForMs,
        now: settings.now,
        onStateChange: ({ from, to }) =>
          settings.emit?.({ type: 'breaker', endpoint: this.label, from, to }),
      })
  }

  /** Whether a call may be sent here. */
  get usable(): boolean {
    return this.breaker === undefined || this.breaker.canEnter
  }

  /** Whether it is usable and hasn't asked for a pause. */
  get ready(): boolean {
    return this.usable && (this.#coolUntil === 0 || this.#coolUntil <= this.#settings.now())
  }

  /** Other endpoints are preferred for so many milliseconds. */
  coolDown(ms: number): void {
    this.#coolUntil = this.#settings.now() + ms
  }

  /** Whether it takes no new calls. */
  get retired(): boolean {
    return this.#retirement !== undefined
  }

  /** Closes its connections once the last attempt that has turned here is over. */
  retire(): Promise<void> {
    this.#retirement ??= Promise.withResolvers()
    this.#closeWhenIdle()
    return this.#retirement.promise
  }

  /** An attempt turns here, and may have to wait: it ends as a visit, or is dismissed. */
  expect(): void {
    this.#expected += 1
  }

  /** An attempt that was expected does not come. */
  dismiss(): void {
    this.#expected -= 1
    this.#closeWhenIdle()
  }

  /** An expected attempt begins; it ends with the visit's `ended`. */
  visit(permit: Permit | undefined, slot: Slot): Visit {
    this.#expected -= 1
    this.pending += 1
    this.#attempts += 1
    return new Visit(this, this.#settings.connectMs, permit, slot)
  }

  /** An attempt is over. */
  left(verdict: Verdict, error: Error | undefined, status: number | undefined): void {
    this.pending -= 1
    this.#closeWhenIdle()
    if (verdict !== 'bad') return
    this.#failures += 1
    this.#lastError = {
      reason: error === undefined ? String(status) : reasonOf(error),
      at: new Date(),
    }
  }

  stats(): EndpointStats {
    const { latency } = this
    const [p50, p95, p99] = [latency.value(0.5), latency.value(0.95), latency.value(0.99)]
    const known = p50 !== undefined && p95 !== undefined && p99 !== undefined
    return {
      endpoint: this.label,
      weight: this.weight,
      breaker: this.breaker?.state ?? 'closed',
      pending: this.pending,
      queued: this.bulkhead.queued,
      attempts: this.#attempts,
      failures: this.#failures,
      connections: { ...this.#connections },
      latency: known ? { p50, p95, p99 } : undefined,
      lastError: this.#lastError,
    }
  }

  #closeWhenIdle(): void {
    if (this.#retirement === undefined || this.#expected + this.pending > 0) return
    this.pool.close().then(this.#retirement.resolve, this.#retirement.resolve)
  }
}

/** One attempt's place at an endpoint, from its being sent to the end of its body. */
export class Visit implements Destination {
  readonly connectMs: number
  readonly #endpoint: Endpoint
  readonly #permit: Permit | undefined
  readonly #slot: Slot
  #status: number | undefined
  /** Told when the attempt is over. */
  onEnded: ((error: Error | undefined, status: number | undefined) => void) | undefined

  constructor(endpoint: Endpoint, connectMs: number, permit: Permit | undefined, slot: Slot) {
    this.#endpoint = endpoint
    this.connectMs = connectMs
    this.#permit = permit
    this.#slot = slot
  }

  get label(): string {
    return this.#endpoint.label
  }

  headReceived(status: number, ms: number): void {
    this.#status = status
    this.#endpoint.latency.record(ms)
  }

  ended(verdict: Verdict, error: Error | undefined): void {
    this.#endpoint.left(verdict, error, this.#status)
    this.#slot.release()
    if (verdict === 'good') this.#permit?.succeed()
    else if (verdict === 'bad') this.#permit?.fail()
    else this.#permit?.release()
    this.onEnded?.(error, this.#status)
  }
}
