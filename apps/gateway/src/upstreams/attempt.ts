import type { IncomingHttpHeaders } from 'node:http'
import type { Permit, Slot } from '@tidegate/resilience'
import { ClientGone, ServerError } from '@tidegate/server'
import type { Dispatcher } from 'undici'
import { isReadableEventStream } from '../handlers/answer.ts'
import { tooLong, Upload } from '../handlers/body.ts'
import { Countdown, type Phase } from '../handlers/countdown.ts'
import type { AttemptEnd, AttemptFacts, AttemptObserver } from './call-observer.ts'
import type { Endpoint } from './endpoint.ts'
import type { Failure } from './failure.ts'
import * as failures from './failure.ts'
import { speaksAgainstEndpoint } from './retry-table.ts'
import type { Upstream } from './upstream.ts'

/** What an attempt sends. */
export interface Message {
  readonly method: string
  readonly path: string
  readonly headers: string[]
  readonly body: Buffer | Upload | null
}

/** How an answer begins. */
export interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly message: string | undefined
}

/** Whoever made the attempt, and hears of everything that comes of it. */
export interface AttemptOwner {
  onInterim(status: number, headers: IncomingHttpHeaders): void
  /** A stream's head has come, and nothing behind it yet. */
  onOpen(attempt: Attempt, head: Head): void
  /** On AI upstreams a good head is told together with the first byte behind it. */
  onHead(attempt: Attempt, head: Head): void
  /** Returns false when no more can be taken for now: `attempt.resume()` asks for the rest. */
  onData(attempt: Attempt, chunk: Buffer): boolean
  /** Returns why the answer isn't whole although it ended in good order, if it isn't. */
  onEnd(attempt: Attempt, trailers: IncomingHttpHeaders): Failure | undefined
  onFailure(attempt: Attempt, failure: Failure): void
  /** The client has stopped reading for too long, or is gone. */
  onClientGone(): void
}

export interface AttemptParts {
  readonly facts: AttemptFacts
  readonly permit: Permit | undefined
  readonly slot: Slot
  readonly owner: AttemptOwner
  readonly observer: AttemptObserver | undefined
  /** When the time for the whole call is up, on the scale of `performance.now()`. */
  readonly deadlineAt: number
  /** The longest that the client may stop reading, in milliseconds. */
  readonly writeLimit: number
}

/** An answer that nobody wants is read up to this size and time, so that its connection can be kept. */
const DRAINED_BYTES = 64 * 1024
const DRAIN_MS = 1000

/**
 * One try at one endpoint: the handler that undici's dispatcher calls. It holds its place and its
 * breaker's permit until its body has ended, watches the time limits, and tells its owner the rest.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly upstream: Upstream
  readonly endpoint: Endpoint
  readonly number: number
  readonly #owner: AttemptOwner
  readonly #observer: AttemptObserver | undefined
  readonly #permit: Permit | undefined
  readonly #slot: Slot
  readonly #countdown: Countdown
  #controller: Dispatcher.DispatchController | undefined
  #upload: Upload | undefined
  #state: 'open' | 'draining' | 'settled' = 'open'
  #expired: Phase | 'deadline' | undefined
  #drained = 0
  #status = 0
  /** The head of an answer whose first byte is still to come. */
  #head: Head | undefined
  #firstByteAt: number | undefined
  sentAt = 0
  /** Whether the answer has come so far that it can be delivered. */
  begun = false

  constructor(parts: AttemptParts) {
    this.upstream = parts.facts.upstream
    this.endpoint = parts.facts.endpoint
    this.number = parts.facts.number
    this.#owner = parts.owner
    this.#observer = parts.observer
    this.#permit = parts.permit
    this.#slot = parts.slot
    const { firstByte, idle } = this.upstream.timeouts
    const limits = { firstByte, idle, write: parts.writeLimit }
    this.#countdown = new Countdown(limits, parts.deadlineAt, this)
  }

  /** Whether the endpoint has the request, or some of it. */
  get isSent(): boolean {
    return this.#controller !== undefined
  }

  /** Whether the answer's head has come. */
  get answered(): boolean {
    return this.#status !== 0
  }

  send({ method, path, headers, body }: Message): void {
    this.endpoint.pending += 1
    this.endpoint.traffic.attempts += 1
    this.sentAt = performance.now()
    if (body instanceof Upload) this.#upload = body
    this.endpoint.pool.dispatch(
      { path, method: method as Dispatcher.HttpMethod, headers, body },
      this,
    )
    if (this.#state !== 'open') return
    // While the body still comes in it is the client's time.
    this.#countdown.start(
      'firstByte',
      this.#upload === undefined ? this.sentAt : Number.POSITIVE_INFINITY,
    )
  }

  /** The endpoint can begin to answer now. */
  bodySent(): void {
    if (this.#state !== 'open' || this.#countdown.phase !== 'firstByte') return
    this.sentAt = performance.now()
    this.#countdown.start('firstByte', this.sentAt)
  }

  /** The answer has been taken whole, or as far as anybody wants it. */
  complete(): void {
    this.#settle(speaksAgainstEndpoint(this.#status) ? 'fail' : 'succeed', 'complete')
  }

  /** Nobody waits for it any more; it speaks neither for nor against the endpoint. */
  cancel(reason: 'client_gone' | 'lost_race'): void {
    if (this.#state === 'settled') return
    this.#settle('release', reason)
    this.#controller?.abort(new Error(`Not wanted any more: ${reason}`))
  }

  /** The answer is of no use: its verdict is given now, and its body is let run out. */
  discard(failed = speaksAgainstEndpoint(this.#status), code?: string): void {
    this.#settle(failed ? 'fail' : 'release', 'failed', code)
    this.#state = 'draining'
    const timer = setTimeout(() => this.#controller?.abort(new Error('Not wanted.')), DRAIN_MS)
    timer.unref()
  }

  /** Tells of events that were passed on although their data is no JSON. */
  countMalformed(events: number): void {
    this.endpoint.traffic.malformedEvents += events
  }

  /** The client reads again. */
  resume(): void {
    if (this.#state !== 'open') return
    this.#countdown.start('idle', performance.now())
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#state === 'settled') controller.abort(new Error('No longer wanted.'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    message?: string,
  ): void {
    if (this.#state !== 'open') return
    if (status < 200) {
      this.#owner.onInterim(status, headers)
      return
    }
    this.#status = status
    this.#observer?.onHead?.(status, headers)
    const head = { status, headers, message }
    this.#head = head
    // A provider may send the head at once and begin to think then: what counts there is the body.
    if (this.upstream.protocol !== 'http' && status < 300) {
      if (isReadableEventStream(headers)) this.#owner.onOpen(this, head)
      return
    }
    const now = performance.now()
    this.#countdown.start('idle', now)
    this.#begin(now)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'draining') {
      this.#drained += chunk.length
      if (this.#drained > DRAINED_BYTES) controller.abort(new Error('Not wanted.'))
      return
    }
    if (this.#state !== 'open') return
    this.#observer?.onData?.(chunk)
    if (this.#head !== undefined) this.#begin(performance.now())
    const goOn = this.#owner.onData(this, chunk)
    if (this.#state !== 'open') return
    const now = performance.now()
    if (!goOn) {
      controller.pause()
      this.#countdown.start('write', now)
    } else if (this.#countdown.phase === 'idle') {
      this.#countdown.restart(now)
    } else {
      this.#countdown.start('idle', now)
    }
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#state !== 'open') return
    if (this.#head !== undefined) this.#begin(performance.now())
    const failure = this.#owner.onEnd(this, trailers)
    if (this.#state !== 'open') return
    if (failure === undefined) this.complete()
    else this.#fail(failure)
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#state !== 'open') return
    // A body that is too large or too slow is the client's doing, and no failure of the upstream's.
    if (error instanceof ClientGone) this.#owner.onClientGone()
    else if (error instanceof ServerError) this.#fail(failures.final(error))
    else if (this.#expired === undefined) this.#fail(failures.broken(this, error))
    else this.#fail(failures.limit(this, this.#expired, error))
  }

  /** A limit ran out. */
  expired(limit: Phase | 'deadline'): void {
    if (limit === 'write') {
      this.#owner.onClientGone()
      return
    }
    if (this.#upload?.starving) {
      // It was the client that used the time up: the error comes back through the body.
      this.#upload.destroy(tooLong())
      return
    }
    this.#expired = limit
    const reason = new Error(`Limit reached: ${limit}`)
    // Still connecting: undici has nothing yet that could be aborted, and is told when it has.
    if (this.#controller === undefined) this.onResponseError(undefined, reason)
    else this.#controller.abort(reason)
  }

  #begin(now: number): void {
    const head = this.#head
    if (head === undefined) return
    this.#head = undefined
    this.begun = true
    this.#firstByteAt = now
    const { traffic, latency } = this.endpoint
    traffic.answered += 1
    traffic.lastAnswerAt = Date.now()
    latency.record(now - this.sentAt)
    this.upstream.latency?.record(now - this.sentAt)
    this.#owner.onHead(this, head)
  }

  #fail(failure: Failure): void {
    this.#settle(failure.blame ? 'fail' : 'release', 'failed', failure.code)
    this.#owner.onFailure(this, failure)
  }

  #settle(
    verdict: 'succeed' | 'fail' | 'release',
    outcome: AttemptEnd['outcome'],
    error?: string,
  ): void {
    if (this.#state !== 'open') return
    this.#state = 'settled'
    if (verdict === 'fail') {
      const { traffic } = this.endpoint
      traffic.failed += 1
      traffic.lastFailureAt = Date.now()
      traffic.lastFailure = error ?? `status_${this.#status}`
    }
    this.endpoint.pending -= 1
    this.#countdown.stop()
    this.#slot.release()
    this.#permit?.[verdict]()
    if (this.#observer === undefined) return
    const { sentAt } = this
    const [status, firstByteAt] = [this.#status, this.#firstByteAt]
    this.#observer.onEnd({ outcome, status, error, sentAt, firstByteAt, at: performance.now() })
  }
}
