import { MAX_ATTEMPTS } from '../config/settings.ts'
import type { Attempt } from './attempt.ts'
import type { AttemptKind } from './call-observer.ts'
import type { Endpoint } from './endpoint.ts'
import type { Failure } from './failure.ts'
import { mayRepeat } from './retry-table.ts'
import { chooseEndpoint, type Upstream } from './upstream.ts'

/** What is done next. */
export interface Plan {
  /** Its place in the route's order. */
  readonly upstream: number
  /** Milliseconds to wait first. */
  readonly wait: number
  /** Where to; without one it is chosen when the time has come. */
  readonly endpoint: Endpoint | undefined
}

/** What the way depends on. */
export interface Journey {
  /** In order of failover. */
  readonly upstreams: readonly Upstream[]
  readonly method: string
  /** Whether the request can be sent more than once. */
  readonly replayable: boolean
  /** When the time for all of it is up, on the scale of `performance.now()`. */
  readonly deadlineAt: number
}

/** Where one request has been, and where it may go next. */
export class Itinerary {
  readonly #journey: Journey
  #position = 0
  #triesHere = 0
  /** Endpoints that this request has asked, and those that it doesn't ask again. */
  #asked: Endpoint[] = []
  #spent: Endpoint[] = []
  /** Attempts made so far, on all upstreams. */
  attempts = 0

  constructor(journey: Journey) {
    this.#journey = journey
  }

  /** The upstream that is being asked, or has answered. */
  get upstream(): Upstream {
    return this.#journey.upstreams[this.#position] as Upstream
  }

  /** The first upstream that can be asked now. */
  first(): Plan | undefined {
    return this.#from(0)
  }

  /** The next one, where the request can be sent to it. */
  next(): Plan | undefined {
    return this.#journey.replayable || this.attempts === 0
      ? this.#from(this.#position + 1)
      : undefined
  }

  /**
   * What can be done about a failed attempt: another endpoint of the upstream at once, the same after a
   * wait, the next upstream at once. What repeats on an upstream is taken from its budget.
   */
  after({ upstream, endpoint }: Attempt, failure: Failure): Plan | undefined {
    const { replayable, method } = this.#journey
    if (failure.kind === 'reworded') return { upstream: this.#position, wait: 0, endpoint }
    if (!replayable || this.attempts >= MAX_ATTEMPTS) return undefined
    if (!mayRepeat(upstream.protocol, method, failure.kind)) return undefined
    if (failure.kind === 'silent') this.#spent.push(endpoint)
    return this.#again(upstream, failure) ?? this.next()
  }

  /** Goes where the plan says. Returns whether that is another upstream than before. */
  follow({ upstream }: Plan): boolean {
    const isNew = upstream !== this.#position || this.#triesHere === 0
    if (upstream !== this.#position) this.#triesHere = 0
    this.#position = upstream
    return isNew
  }

  /** The endpoint for an attempt right now: the wanted one if it can be asked. */
  choose(wanted: Endpoint | undefined): Endpoint | undefined {
    if (wanted !== undefined && wanted.breaker?.canEnter !== false) return wanted
    return chooseEndpoint(this.upstream, this.#spent)
  }

  /** An endpoint of the same upstream that isn't the given one. */
  beside(endpoint: Endpoint): Endpoint | undefined {
    if (this.attempts >= MAX_ATTEMPTS) return undefined
    return chooseEndpoint(this.upstream, [...this.#spent, endpoint])
  }

  /** What the next attempt will be, unless it is sent beside another one. */
  get kind(): AttemptKind {
    if (this.attempts === 0) return 'first'
    return this.#triesHere === 0 ? 'failover' : 'retry'
  }

  /** Counts an attempt. Returns its number, from 1. */
  count(endpoint: Endpoint): number {
    this.#asked.push(endpoint)
    this.#triesHere += 1
    this.attempts += 1
    return this.attempts
  }

  /** Whether another attempt may be made beside one under way, as far as the request goes. */
  get mayRace(): boolean {
    const { replayable, method } = this.#journey
    return replayable && mayRepeat(this.upstream.protocol, method, 'broken')
  }

  #again(upstream: Upstream, failure: Failure): Plan | undefined {
    const retry = this.#triesHere
    if (retry > upstream.retry.retries) return undefined
    const fresh = chooseEndpoint(upstream, this.#asked)
    const wait = fresh === undefined ? this.#waitBefore(upstream, retry, failure) : 0
    if (wait === undefined) return undefined
    if (fresh === undefined && chooseEndpoint(upstream, this.#spent) === undefined) return undefined
    if (!upstream.budget.tryRetry()) return undefined
    return { upstream: this.#position, wait, endpoint: fresh }
  }

  /** How long to wait before the same endpoint is asked again; `undefined` where that is too long. */
  #waitBefore(upstream: Upstream, retry: number, failure: Failure): number | undefined {
    const { retryAfterMs = 0 } = failure
    if (retryAfterMs > upstream.retry.max) return undefined
    const wait = Math.max(upstream.backoff.delay(retry, 0), retryAfterMs)
    return performance.now() + wait < this.#journey.deadlineAt ? wait : undefined
  }

  #from(position: number): Plan | undefined {
    const { upstreams } = this.#journey
    for (let upstream = position; upstream < upstreams.length; upstream++) {
      const endpoint = chooseEndpoint(upstreams[upstream] as Upstream, this.#spent)
      if (endpoint !== undefined) return { upstream, wait: 0, endpoint }
    }
    return undefined
  }
}
