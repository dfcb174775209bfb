import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { parseRetryAfter, type Slot } from '@tidegate/resilience'
import type { Exchange } from '@tidegate/server'
import { Delivery } from '../handlers/delivery.ts'
import { passInterim } from '../handlers/interim.ts'
import { Attempt, type AttemptOwner, type Head, type Message } from './attempt.ts'
import type { Endpoint } from './endpoint.ts'
import type { Failure } from './failure.ts'
import * as failures from './failure.ts'
import type { FailureLog } from './failure-log.ts'
import { History } from './history.ts'
import { Itinerary, type Plan } from './itinerary.ts'
import { waitForPlace } from './place.ts'
import { isRetryableStatus } from './retry-table.ts'
import type { Upstream } from './upstream.ts'

/** The request as the upstreams get it. */
export interface Ask {
  readonly method: string
  /** The normalised path that the client asked for: it tells a stream's protocol. */
  readonly path: string
  /** Whether it can be sent more than once. */
  readonly replayable: boolean
  message(upstream: Upstream, endpoint: Endpoint): Message
}

export interface CallParts {
  /** In order of failover. */
  readonly upstreams: readonly Upstream[]
  readonly ask: Ask
  readonly exchange: Exchange
  readonly outgoing: ServerResponse
  readonly failureLog: FailureLog
  readonly holdBack: 'off' | 'full' | number
  /** The longest that the client may stop reading, in milliseconds. */
  readonly writeLimit: number
}

/**
 * One request's outbound pipeline, outermost first: the total deadline, the hedge, retries and
 * failover, the endpoint's breaker, the upstream's bulkhead, the attempt with its time limits.
 *
 * `run()` resolves, with the mark of a response that is sent, when the answer has begun: the pipeline
 * above winds up while the body is still coming, not when the client's next request waits. It rejects
 * while an error can still become a response of its own.
 */
export class Call implements AttemptOwner {
  readonly #parts: CallParts
  readonly #delivery: Delivery
  readonly #deadlineAt: number
  readonly #itinerary: Itinerary
  readonly #history: History
  /** Attempts under way: one, or two while a hedge races. */
  #running: Attempt[] = []
  #timer: NodeJS.Timeout | undefined
  #hedgeTimer: NodeJS.Timeout | undefined
  /** Leaves the line for a place on an upstream. */
  #line: AbortController | undefined
  #settled = false
  #resolve: (response: Response) => void = noop
  #reject: (error: Error) => void = noop

  constructor(parts: CallParts) {
    const { upstreams, ask, exchange, outgoing, holdBack } = parts
    const { method, path, replayable } = ask
    const { deadlineAt = Number.POSITIVE_INFINITY } = exchange
    this.#parts = parts
    this.#deadlineAt = deadlineAt
    this.#itinerary = new Itinerary({ upstreams, method, replayable, deadlineAt })
    this.#history = new History(exchange, parts.failureLog)
    const onCommit = (): void => this.#resolve(RESPONSE_ALREADY_SENT)
    this.#delivery = new Delivery({ exchange, outgoing, path, holdBack, onCommit })
  }

  /** The upstream that is being asked, or has answered. */
  get upstream(): Upstream {
    return this.#itinerary.upstream
  }

  /** Attempts made so far, on all upstreams. */
  get attempts(): number {
    return this.#itinerary.attempts
  }

  run(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      const { outgoing } = this.#parts
      if (outgoing.destroyed) {
        this.#clientLeft()
        return
      }
      // Before whoever else listens, so that the log's line finds the outcome settled.
      outgoing.prependListener('close', this.#clientLeft)
      this.#followOr(this.#itinerary.first(), failures.unavailable(this.upstream))
    })
  }

  /** The endpoint can begin to answer now: until here it was the client's time. */
  bodySent(): void {
    for (const attempt of this.#running) attempt.bodySent()
  }

  #followOr(plan: Plan | undefined, failure: Failure): void {
    if (plan === undefined) {
      this.#giveUp(failure)
      return
    }
    if (this.#itinerary.follow(plan)) {
      const { name, budget, hedgeBudget } = this.upstream
      this.#parts.exchange.hop = `upstream ${name}`
      budget.onCall()
      hedgeBudget?.onCall()
    }
    if (plan.wait === 0) {
      this.#enter(plan.endpoint)
      return
    }
    this.#history.waited(plan.wait)
    this.#timer = setTimeout(() => this.#enter(plan.endpoint), plan.wait)
  }

  /** Takes a place on the upstream, or waits for one in turn. */
  #enter(endpoint: Endpoint | undefined): void {
    const slot = this.upstream.bulkhead.tryAcquire()
    if (slot === undefined) void this.#queueUp()
    else this.#attempt(slot, endpoint)
  }

  async #queueUp(): Promise<void> {
    this.#line = new AbortController()
    const place = await waitForPlace(this.upstream, this.#deadlineAt, this.#line)
    if ('release' in place) {
      if (this.#settled) place.release()
      else this.#attempt(place, undefined)
    } else if (!this.#settled) {
      this.#history.refused(place)
      const isFull = place.code === 'upstream_overloaded'
      this.#followOr(isFull ? this.#itinerary.next() : undefined, place)
    }
  }

  #attempt(slot: Slot, wanted: Endpoint | undefined): void {
    const { upstream } = this
    const endpoint = this.#itinerary.choose(wanted)
    if (endpoint === undefined) {
      slot.release()
      this.#followOr(this.#itinerary.next(), this.#history.last ?? failures.unavailable(upstream))
      return
    }
    const { ask, writeLimit } = this.#parts
    const attempt = new Attempt({
      upstream,
      endpoint,
      number: this.#itinerary.count(endpoint),
      permit: endpoint.breaker?.tryEnter(),
      slot,
      owner: this,
      deadlineAt: this.#deadlineAt,
      writeLimit,
    })
    this.#running.push(attempt)
    attempt.send(ask.message(upstream, endpoint))
    if (upstream.hedge !== undefined && this.#running.length === 1) this.#armHedge(attempt)
  }

  #armHedge(slow: Attempt): void {
    const { hedge, latency } = slow.upstream
    const delay = hedge?.after === 'p95' ? latency?.value(0.95) : hedge?.after
    if (delay === undefined || !this.#itinerary.mayRace) return
    clearTimeout(this.#hedgeTimer)
    this.#hedgeTimer = setTimeout(() => {
      if (this.#running.length === 1 && this.#running[0] === slow && !slow.answered)
        this.#hedge(slow)
    }, delay)
  }

  /** Sends a second attempt beside one that is slow, where there is room and budget for it. */
  #hedge({ upstream, endpoint }: Attempt): void {
    const other = this.#itinerary.beside(endpoint)
    const slot = other === undefined ? undefined : upstream.bulkhead.tryAcquire()
    if (slot === undefined) return
    if (upstream.hedgeBudget?.tryRetry() !== true) {
      slot.release()
      return
    }
    this.#history.hedged(this.attempts + 1)
    this.#attempt(slot, other)
  }

  onInterim(status: number, headers: IncomingHttpHeaders): void {
    if (!this.#delivery.committed) passInterim(this.#parts.outgoing, status, headers)
  }

  onHead(attempt: Attempt, head: Head): void {
    const { status, headers } = head
    if (isRetryableStatus(attempt.upstream.protocol, status, headers['x-should-retry'])) {
      const failure = failures.status(attempt, status, parseRetryAfter(headers, Date.now()))
      if (this.#recover(attempt, failure)) return
      this.#record()
    }
    for (const other of this.#running) if (other !== attempt) other.cancel('Another was faster.')
    this.#running = [attempt]
    clearTimeout(this.#hedgeTimer)
    const ms = performance.now() - attempt.sentAt
    this.#delivery.begin({ attempt, head, ms, attempts: this.attempts })
  }

  onData(attempt: Attempt, chunk: Buffer): boolean {
    const taken = this.#delivery.data(chunk)
    if (taken === 'more') return true
    if (taken === 'done') {
      this.#settle(attempt)
      attempt.complete()
      return true
    }
    if (taken === 'wait') return this.#waitForClient(attempt)
    if (this.#recover(attempt, taken)) return true
    // Nothing better is to be had. What the upstream says of itself passes; half an answer doesn't.
    if (taken.kind === 'status') {
      return this.#delivery.surface() === 'more' || this.#waitForClient(attempt)
    }
    attempt.discard(taken.blame)
    this.#giveUp(taken)
    return true
  }

  onEnd(attempt: Attempt, trailers: IncomingHttpHeaders): Failure | undefined {
    const failure = this.#delivery.end(trailers)
    if (failure === undefined) this.#settle(attempt)
    return failure
  }

  onFailure(attempt: Attempt, failure: Failure): void {
    if (this.#settled) return
    this.#drop(attempt, failure)
    if (this.#delivery.committed) {
      this.#parts.exchange.fault = failure.error
      if (this.#delivery.break(failure.breakCode)) this.#record()
      this.#settle(attempt)
      return
    }
    // The other one of a race goes on.
    if (this.#running.length > 0) return
    this.#delivery.takeBack()
    this.#followOr(this.#itinerary.after(attempt, failure), failure)
  }

  onClientGone(): void {
    this.#clientLeft()
    // Where it has only stopped reading there is nobody to tell.
    this.#parts.outgoing.destroy()
  }

  /** Leaves an answer that is of no use for another attempt. Returns false if there is none to make. */
  #recover(attempt: Attempt, failure: Failure): boolean {
    const raced = this.#running.length > 1
    const plan = raced ? undefined : this.#itinerary.after(attempt, failure)
    if (!raced && plan === undefined) {
      this.#history.failed(attempt, failure)
      return false
    }
    this.#drop(attempt, failure)
    this.#delivery.takeBack()
    attempt.discard(failure.blame)
    if (plan !== undefined) this.#followOr(plan, failure)
    return true
  }

  #waitForClient(attempt: Attempt): false {
    this.#delivery.onDrain(() => attempt.resume())
    return false
  }

  #drop(attempt: Attempt, failure: Failure): void {
    this.#running = this.#running.filter((each) => each !== attempt)
    this.#history.failed(attempt, failure)
    const ms = performance.now() - attempt.sentAt
    this.#parts.exchange.timings.push({ name: `attempt-${attempt.number}`, ms })
  }

  #giveUp(failure: Failure): void {
    const { exchange } = this.#parts
    exchange.fault = failure.error
    this.#history.last ??= failure
    if (this.attempts > 0) exchange.headers.push('x-tidegate-upstream', this.upstream.name)
    exchange.headers.push('x-tidegate-attempts', String(this.attempts))
    this.#record()
    this.#settle()
    this.#reject(this.attempts > 1 ? failures.withoutRetry(failure.error) : failure.error)
  }

  #record(): void {
    const { upstream, attempts } = this
    this.#history.record({ path: this.#parts.ask.path, upstream: upstream.name, attempts })
  }

  #settle(attempt?: Attempt): void {
    this.#settled = true
    clearTimeout(this.#timer)
    clearTimeout(this.#hedgeTimer)
    this.#parts.outgoing.off('close', this.#clientLeft)
    const { malformedEvents } = this.#delivery
    if (attempt !== undefined) attempt.endpoint.traffic.malformedEvents += malformedEvents
  }

  #clientLeft = (): void => {
    if (this.#settled) return
    const { exchange } = this.#parts
    exchange.outcome = 'client_gone'
    exchange.sent = true
    this.#settle()
    this.#line?.abort()
    for (const attempt of this.#running) attempt.cancel('The client left.')
    this.#resolve(RESPONSE_ALREADY_SENT)
  }
}

function noop(): void {}
