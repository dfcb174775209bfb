import type { IncomingHttpHeaders } from 'node:http'
import { CircuitOpenError, RateLimitedError, TimeoutError } from '../core/errors.ts'
import { parseRetryAfter } from '../core/retry-after.ts'
import { reasonOf, rememberTimeline, Timeline } from '../core/timeline.ts'
import { type Attempt, sendAttempt } from './attempt.ts'
import type { Endpoint } from './endpoint.ts'
import type { EndpointSet } from './endpoints.ts'
import { AllEndpointsFailedError, ConnectionError } from './errors.ts'
import type { Answer } from './exchange-plan.ts'
import type { PreparedCall } from './request.ts'
import type { Settings } from './settle-options.ts'
import { bounded, pause } from './waiting.ts'

/** No call is sent more often, whatever the number of endpoints. */
const MAX_ATTEMPTS = 6

/** A response with where it came from. */
export interface Delivery {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Answer['body']
  readonly attempts: number
  readonly endpoint: string
}

/** How often, and how long, a call has waited to come back. */
interface Comebacks {
  count: number
  lastWaitMs: number
}

/** One call: its attempts, here or there, until one succeeds or none is left. */
export class Call {
  readonly #endpoints: EndpointSet
  readonly #settings: Settings
  readonly #call: PreparedCall
  readonly #startedAt: number
  readonly #deadlineAt: number
  readonly #tried = new Set<Endpoint>()
  readonly #errors: Error[] = []
  #attempts = 0
  #raceForgiven = false
  #timeline: Timeline | undefined

  constructor(endpoints: EndpointSet, settings: Settings, call: PreparedCall) {
    this.#endpoints = endpoints
    this.#settings = settings
    this.#call = call
    this.#startedAt = settings.now()
    this.#deadlineAt = this.#startedAt + call.totalMs
  }

  /** How often it has been sent. */
  get attempts(): number {
    return this.#attempts
  }

  get elapsedMs(): number {
    return this.#settings.now() - this.#startedAt
  }

  get timeline(): Timeline {
    this.#timeline ??= new Timeline(this.#settings.now, this.#startedAt)
    return this.#timeline
  }

  /**
   * Sends it until it is answered. Called a second time while the first is under way (a hedge), it turns
   * to another endpoint where there is one.
   *
   * @throws HttpClientError with the call's history.
   */
  async run(signal: AbortSignal | undefined): Promise<Delivery> {
    const discovery = this.#endpoints.discover()
    if (discovery !== undefined) await this.#wait(bounded(() => discovery, this.#bounds(signal)))
    const comebacks = { count: 0, lastWaitMs: 0 }
    let endpoint = this.#first()
    for (;;) {
      const attempt = await this.#send(endpoint, signal)
      if (attempt.error === undefined) return this.#conclude(attempt)
      this.#note(attempt, attempt.error)
      const next = await this.#next(attempt, comebacks, signal)
      if (next === undefined) return this.#conclude(attempt)
      endpoint = next
    }
  }

  #first(): Endpoint {
    const isFresh = (endpoint: Endpoint) => endpoint.ready && !this.#tried.has(endpoint)
    const picked =
      this.#endpoints.pick(this.#tried.size === 0 ? isReady : isFresh) ??
      this.#endpoints.pick(isUsable)
    if (picked !== undefined) return picked
    const error = this.#refusal()
    this.timeline.add({ kind: 'rejected', reason: reasonOf(error) })
    throw this.#remembering(error)
  }

  #refusal(): Error {
    if (this.#endpoints.closed) return new ConnectionError('the client is closed', false)
    if (this.#endpoints.all.length === 0) return new ConnectionError('no endpoint was found', false)
    return new CircuitOpenError(this.#endpoints.retryAfterMs)
  }

  #send(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Attempt> {
    this.#attempts += 1
    this.#tried.add(endpoint)
    return sendAttempt({
      endpoint,
      number: this.#attempts,
      call: this.#call,
      settings: this.#settings,
      deadlineAt: this.#deadlineAt,
      forgivesRace: !this.#raceForgiven && this.#mayArriveTwice,
      signal,
      remember: this.#broke,
    })
  }

  /** Where the call goes on, once it is time to; `undefined`: it doesn't. */
  async #next(
    failed: Attempt,
    comebacks: Comebacks,
    signal: AbortSignal | undefined,
  ): Promise<Endpoint | undefined> {
    if (failed.raced && !failed.endpoint.retired) {
      this.#raceForgiven = true
      return failed.endpoint
    }
    const retryAfterMs = askedPause(failed)
    if (retryAfterMs > 0) failed.endpoint.coolDown(retryAfterMs)
    if (!this.#isWorthAnother(failed)) return undefined
    const fresh = this.#endpoints.pick((one) => one.ready && !this.#tried.has(one))
    if (fresh !== undefined) return this.#pays(failed, 0) ? fresh : undefined
    if (!(await this.#comeBack(failed, comebacks, retryAfterMs, signal))) return undefined
    // One that asked for a pause may still do better than those that have failed.
    const isUntried = (one: Endpoint) => one.usable && !this.#tried.has(one)
    return [isUntried, isReady, isUsable].reduce<Endpoint | undefined>(
      (picked, suits) => picked ?? this.#endpoints.pick(suits),
      undefined,
    )
  }

  /** Waits to send it to an endpoint that it has tried, if it may. */
  async #comeBack(
    failed: Attempt,
    comebacks: Comebacks,
    retryAfterMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { retry, now } = this.#settings
    if (retry === undefined || comebacks.count >= this.#call.retries) return false
    comebacks.count += 1
    comebacks.lastWaitMs = retry.backoff.delay(comebacks.count, comebacks.lastWaitMs)
    const ms = Math.max(comebacks.lastWaitMs, retryAfterMs)
    if (now() + ms >= this.#deadlineAt || !this.#pays(failed, ms)) return false
    const at = this.elapsedMs
    await this.#wait(pause(ms, signal))
    const reason = ms === retryAfterMs ? 'retry_after' : 'backoff'
    this.timeline.add({ kind: 'wait', at, ms: this.elapsedMs - at, reason })
    return true
  }

  get #mayArriveTwice(): boolean {
    return this.#call.repeatable && this.#call.replayable && this.#call.retries >= 0
  }

  #isWorthAnother({ answer, error }: Attempt): boolean {
    const { replayable, repeatable, retries } = this.#call
    if (!replayable || retries < 0 || this.#attempts >= MAX_ATTEMPTS) return false
    if (answer !== undefined) {
      return repeatable && this.#settings.retry?.statuses.has(answer.status) === true
    }
    if (error instanceof ConnectionError) return repeatable || !error.sent
    if (!(error instanceof TimeoutError)) return false
    if (error.limit === 'connect') return true
    return repeatable && (error.limit === 'first_byte' || error.limit === 'idle')
  }

  /** Takes the repeat out of the budget, and tells of it. */
  #pays({ endpoint, error }: Attempt, waitMs: number): boolean {
    const { retry, emit } = this.#settings
    if (retry?.budget?.tryRetry() === false) {
      this.timeline.add({ kind: 'rejected', reason: 'retry_budget' })
      return false
    }
    const { method } = this.#call
    emit?.({ type: 'retry', method, endpoint: endpoint.label, reason: reasonOf(error), waitMs })
    return true
  }

  #conclude({ endpoint, answer, error }: Attempt): Delivery {
    if (answer !== undefined && (error === undefined || !this.#call.throwOnStatus)) {
      const { status, headers, body } = answer
      return { status, headers, body, attempts: this.#attempts, endpoint: endpoint.label }
    }
    const several = this.#tried.size > 1 && this.#errors.length > 1
    throw this.#remembering(
      several && isUnanswered(error) ? new AllEndpointsFailedError(this.#errors) : error,
    )
  }

  #note({ endpoint, number, startedAt }: Attempt, error: Error): void {
    this.#errors.push(error)
    const breaker = endpoint.breaker?.state
    const refused = error instanceof CircuitOpenError || error instanceof RateLimitedError
    this.timeline.add({
      kind: refused ? 'rejected' : 'failure',
      attempt: number,
      ms: this.#settings.now() - startedAt,
      reason: reasonOf(error),
      endpoint: endpoint.label,
      ...(breaker === undefined ? {} : { breaker }),
    })
  }

  /** A stream has broken after it was handed out. */
  readonly #broke = (error: Error): void => {
    this.timeline.add({ kind: 'failure', at: this.elapsedMs, reason: reasonOf(error) })
    this.#remembering(error)
  }

  /** A wait that fails ends the call. */
  async #wait(waiting: Promise<void>): Promise<void> {
    try {
      await waiting
    } catch (error) {
      this.timeline.add({ kind: 'failure', at: this.elapsedMs, reason: reasonOf(error) })
      throw this.#remembering(error)
    }
  }

  #remembering(error: unknown): unknown {
    rememberTimeline(error, this.timeline)
    return error
  }

  #bounds(signal: AbortSignal | undefined) {
    const leftMs = this.#deadlineAt - this.#settings.now()
    return { leftMs, totalMs: this.#call.totalMs, signal }
  }
}

function isReady(endpoint: Endpoint): boolean {
  return endpoint.ready
}

function isUsable(endpoint: Endpoint): boolean {
  return endpoint.usable
}

/** Whether nothing came back, of whatever status. */
function isUnanswered(error: Error | undefined): boolean {
  if (error instanceof TimeoutError) return error.limit !== 'total'
  return error instanceof ConnectionError
}

/** How long the endpoint wants to be left alone, in milliseconds. */
function askedPause({ answer }: Attempt): number {
  return answer === undefined ? 0 : (parseRetryAfter(answer.headers, Date.now()) ?? 0)
}
