import type { IncomingHttpHeaders } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { parseRetryAfter, type Slot } from '@tidegate/resilience'
import { type Answer, Delivery } from '../handlers/delivery.ts'
import { passInterim } from '../handlers/interim.ts'
import { Attempt, type AttemptOwner, type Head } from './attempt.ts'
import type { CallParts } from './call-parts.ts'
import type { Endpoint } from './endpoint.ts'
import type { Failure } from './failure.ts'
import * as failures from './failure.ts'
import { History } from './history.ts'
import { Itinerary, type Plan } from './itinerary.ts'
import { hedgeDelay, takeHedgePlace } from './place.ts'
import { isRetryableStatus } from './retry-table.ts'
import { traceHeadersOf } from './trace-headers.ts'
import type { Upstream } from './upstream.ts'

/** How long a stream's head waits for its first event: until then a failure can be told by status. */
const HEAD_DELAY_MS = 1000

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
  readonly #deadlineAt: number
  readonly #itinerary: Itinerary
  readonly #history: History
  #begun: Delivery | undefined
  /** Attempts under way: one, or two while a hedge races. */
  #running: Attempt[] = []
  /** For a wait before an attempt, or the hedge of one under way. */
  #timer: NodeJS.Timeout | undefined
  #headTimer: NodeJS.Timeout | undefined
  /** Leaves the line for a place on an upstream. */
  #line: AbortController | undefined
  #settled = false
  readonly #response = Promise.withResolvers<Response>()

  constructor(parts: CallParts) {
    const { upstreams, ask, exchange } = parts
    const { method, replayable } = ask
    const deadlineAt = exchange.deadlineAt ?? Number.POSITIVE_INFINITY
    this.#parts = parts
    this.#deadlineAt = deadlineAt
    this.#itinerary = new Itinerary({ upstreams, method, replayable, deadlineAt })
    this.#history = new History(this.#itinerary, ask.path, exchange, parts.failureLog)
  }

  /** The upstream that is being asked, or has answered. */
  get upstream(): Upstream {
    return this.#itinerary.upstream
  }

  /** Attempts made so far, on all upstreams. */
  get attempts(): number {
    return this.#itinerary.attempts
  }

  /** Made when an answer comes: until the request is sent, whatever else is done delays it. */
  get #delivery(): Delivery {
    if (this.#begun !== undefined) return this.#begun
    const { ask, exchange, outgoing, holdBack, tokens } = this.#parts
    const onCommit = () => this.#response.resolve(RESPONSE_ALREADY_SENT)
    this.#begun = new Delivery({ exchange, outgoing, path: ask.path, holdBack, tokens, onCommit })
    return this.#begun
  }

  run(): Promise<Response> {
    const { outgoing } = this.#parts
    if (outgoing.destroyed) {
      this.#clientLeft()
    } else {
      // Before whoever else listens, so that the log's line finds the outcome settled.
      outgoing.prependListener('close', this.#clientLeft)
      const plan = this.#itinerary.first()
      if (plan === undefined) this.#giveUp(failures.unavailable(this.upstream))
      else this.#follow(plan)
    }
    return this.#response.promise
  }

  /** The endpoint can begin to answer now: until here it was the client's time. */
  bodySent(): void {
    const [first] = this.#running
    const from = first?.sentAt ?? 0
    for (const attempt of this.#running) attempt.bodySent()
    // Until now it was the client's time, unless the answer has come before.
    this.#parts.exchange.clientMs += (first?.sentAt ?? 0) - from
  }

  #followOr(plan: Plan | undefined, failure: Failure): void {
    if (plan === undefined) this.#giveUp(failure)
    else this.#follow(plan)
  }

  #follow(plan: Plan): void {
    if (this.#itinerary.follow(plan)) {
      const { name, budget, hedgeBudget } = this.upstream
      this.#parts.exchange.hop = `upstream ${name}`
      budget.onCall()
      hedgeBudget?.onCall()
    }
    if (plan.wait === 0) return void this.#enter(plan.endpoint)
    this.#history.waited(plan.wait)
    clearTimeout(this.#timer)
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
    const place = await this.#history.inLine(this.upstream, this.#deadlineAt, this.#line)
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
    const { ask, writeLimit, exchange, span } = this.#parts
    const kind = this.#running.length > 0 ? 'hedge' : this.#itinerary.kind
    const number = this.#itinerary.count(endpoint)
    const after = this.#history.last?.code
    const facts = { exchange, span, ask, upstream, endpoint, kind, number, after } as const
    const observer = this.#parts.observer?.onAttempt(facts)
    const permit = endpoint.breaker?.tryEnter()
    const [owner, deadlineAt] = [this, this.#deadlineAt]
    const attempt = new Attempt({ facts, permit, slot, owner, observer, deadlineAt, writeLimit })
    this.#running.push(attempt)
    attempt.send(ask.message(upstream, endpoint, traceHeadersOf(observer?.span ?? span)))
    const delay = this.#running.length === 1 ? hedgeDelay(upstream) : undefined
    if (delay === undefined || !this.#itinerary.mayRace) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#hedge(attempt), delay)
  }

  /** Sends a second attempt beside one that is slow, where there is room and budget for it. */
  #hedge(slow: Attempt): void {
    if (this.#running.length !== 1 || this.#running[0] !== slow || slow.begun) return
    const other = this.#itinerary.beside(slow.endpoint)
    const slot = other === undefined ? undefined : takeHedgePlace(slow.upstream)
    if (slot === undefined) return
    this.#history.hedged(this.attempts + 1)
    this.#attempt(slot, other)
  }

  onInterim(status: number, headers: IncomingHttpHeaders): void {
    if (!this.#delivery.committed) passInterim(this.#parts.outgoing, status, headers)
  }

  onOpen(attempt: Attempt, head: Head): void {
    if (this.#parts.holdBack !== 'off' || this.#delivery.opened) return
    clearTimeout(this.#headTimer)
    this.#headTimer = setTimeout(() => {
      const isWaiting = this.#running.includes(attempt) && !attempt.begun
      if (isWaiting) this.#delivery.open(this.#answer(attempt, head))
    }, HEAD_DELAY_MS)
  }

  onHead(attempt: Attempt, head: Head): void {
    clearTimeout(this.#headTimer)
    const { status, headers } = head
    if (isRetryableStatus(attempt.upstream.protocol, status, headers['x-should-retry'])) {
      const failure = failures.status(attempt, status, parseRetryAfter(headers, Date.now()))
      if (this.#recover(attempt, failure)) return
      this.#history.failed(attempt, failure)
      if (!this.#delivery.opened) this.#history.record()
    }
    for (const other of this.#running) if (other !== attempt) this.#history.outrun(other, attempt)
    this.#running = [attempt]
    if (this.#delivery.begin(this.#answer(attempt, head))) return
    attempt.discard()
    this.#giveUp(failures.status(attempt, status, undefined))
  }

  #answer(attempt: Attempt, head: Head): Answer {
    return { attempt, head, ms: performance.now() - attempt.sentAt, attempts: this.attempts }
  }

  onData(attempt: Attempt, chunk: Buffer): boolean {
    const taken = this.#delivery.data(chunk)
    if (taken === 'more') return true
    if (taken === 'done') {
      this.#settle(attempt)
      attempt.complete()
      return true
    }
    if (taken === 'wait') return this.#delivery.waitFor(attempt)
    if (this.#recover(attempt, taken)) return true
    this.#history.failed(attempt, taken)
    // Nothing better is to be had. What the upstream says of itself passes; half an answer doesn't.
    const passes = taken.kind === 'status'
    if (passes) return this.#delivery.surface() === 'more' || this.#delivery.waitFor(attempt)
    attempt.discard(taken.blame, taken.code)
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
      if (this.#delivery.break(failure.breakCode)) this.#history.record()
      return void this.#settle(attempt)
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
    const isRace = this.#running.length > 1
    const plan = isRace ? undefined : this.#itinerary.after(attempt, failure)
    if (!isRace && plan === undefined) return false
    this.#drop(attempt, failure)
    this.#delivery.takeBack()
    attempt.discard(failure.blame, failure.code)
    if (plan !== undefined) this.#followOr(plan, failure)
    return true
  }

  #drop(attempt: Attempt, failure: Failure): void {
    this.#running = this.#running.filter((each) => each !== attempt)
    this.#history.dropped(attempt, failure)
  }

  #giveUp(failure: Failure): void {
    const { exchange, tokens } = this.#parts
    tokens?.takeBack()
    exchange.fault = failure.error
    this.#history.record(failure)
    this.#settle()
    if (this.#delivery.opened) return void this.#delivery.break(failure.breakCode)
    if (this.attempts > 0) exchange.headers.push('x-tidegate-upstream', this.upstream.name)
    exchange.headers.push('x-tidegate-attempts', String(this.attempts))
    this.#response.reject(this.attempts > 1 ? failures.withoutRetry(failure.error) : failure.error)
  }

  #settle(attempt?: Attempt): void {
    this.#settled = true
    clearTimeout(this.#timer)
    clearTimeout(this.#headTimer)
    this.#parts.outgoing.off('close', this.#clientLeft)
    attempt?.countMalformed(this.#delivery.malformedEvents)
  }

  #clientLeft = (): void => {
    if (this.#settled) return
    const { exchange, tokens } = this.#parts
    if (this.#running.some(({ isSent }) => isSent)) tokens?.abandon()
    exchange.outcome = 'client_gone'
    exchange.sent = true
    this.#settle()
    this.#line?.abort()
    for (const attempt of this.#running) attempt.cancel('client_gone')
    this.#response.resolve(RESPONSE_ALREADY_SENT)
  }
}
