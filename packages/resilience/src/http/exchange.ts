import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { AbortedError, TimeoutError } from '../core/errors.ts'
import { Countdown, type Phase } from './countdown.ts'
import { ConnectionError, ResponseTooLargeError, StreamInterruptedError } from './errors.ts'
import type { Answer, Carrier, Destination, ExchangePlan, Verdict } from './exchange-plan.ts'
import { connectionFault } from './faults.ts'
import { isServerFault } from './semantics.ts'
import { BodyStream } from './stream.ts'
import { abortedBy } from './waiting.ts'

/** How much of a failed response is read for its error, and for how long, before it is cut off. */
const ERROR_BODY_BYTES = 64 * 1024
const ERROR_BODY_MS = 1_000

/** How long the end of a body that its reader has had enough of may take. */
const REST_MS = 200

/**
 * One request and its response, as undici's dispatcher tells of it. Whatever happens, it comes to an end
 * within its limits, its destination is told once, and the connection is given back or closed.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #plan: ExchangePlan
  readonly #destination: Destination
  readonly #signal: AbortSignal | undefined
  readonly #countdown: Countdown
  #resolve: (answer: Answer) => void = ignore
  #reject: (error: Error) => void = ignore
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #requestsOnConnection = 0
  #responding = false
  #beganAt = 0
  #sentAt = 0
  #head: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #stream: BodyStream | undefined
  /** Set by the pool. */
  carrier: Carrier | undefined
  /**
   * Whether the connection broke although it had served before and not a byte of a response had come:
   * most likely the endpoint closed it as unused while the request was on its way.
   */
  raced = false
  /** Tells a stream's error of the call's history. */
  remember: ((error: Error) => void) | undefined

  constructor(plan: ExchangePlan, destination: Destination, signal: AbortSignal | undefined) {
    this.#plan = plan
    this.#destination = destination
    this.#signal = signal
    this.#countdown = new Countdown(plan.now, plan.deadlineAt, this)
  }

  /** Resolves with the whole response, or with its head when the body is to be streamed. */
  send(dispatcher: Dispatcher): Promise<Answer> {
    const { method, path, headers, body, now } = this.#plan
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#beganAt = now()
      if (this.#signal?.aborted) return this.#aborted()
      this.#signal?.addEventListener('abort', this.#aborted, { once: true })
      this.#countdown.start('connection', Number.POSITIVE_INFINITY, this.#beganAt)
      dispatcher.dispatch({ method, path, headers, body: body as Buffer | null }, this)
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) {
      controller.abort(new Error('No longer wanted.'))
      return
    }
    this.#requestsOnConnection = this.carrier?.countRequest() ?? 0
    this.#sentAt = this.#plan.now()
    // A body of unknown length takes the time its source takes.
    if (!(this.#plan.body instanceof Readable)) this.#awaitHead()
  }

  onRequestSent(): void {
    if (this.#over || this.#countdown.phase !== 'connection') return
    this.#sentAt = this.#plan.now()
    this.#awaitHead()
  }

  onResponseStarted(): void {
    this.#responding = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200 || this.#over) return
    const { plan, now } = { plan: this.#plan, now: this.#plan.now() }
    this.#head = { status, headers }
    this.#destination.headReceived(status, now - this.#sentAt)
    if (plan.stream && status < 400) {
      this.#countdown.start('reader', Number.POSITIVE_INFINITY, now)
      this.#stream = new BodyStream(this)
      this.#resolve({ status, headers, body: this.#stream })
    } else if (this.#cutsBody) {
      this.#countdown.start('errorBody', ERROR_BODY_MS, now)
    } else {
      this.#countdown.start('body', plan.idleMs, now)
      const length = Number(headers['content-length'])
      if (length > plan.maxBytes && plan.method !== 'HEAD') this.#tooLarge()
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.#bytes += chunk.length
    if (this.#stream !== undefined) {
      if (this.#stream.push(chunk)) controller.pause()
      else if (this.#countdown.phase === 'body') this.#countdown.restart(this.#plan.now())
      return
    }
    this.#chunks.push(chunk)
    if (this.#cutsBody) {
      if (this.#bytes >= ERROR_BODY_BYTES) this.#cutBody()
    } else if (this.#bytes > this.#plan.maxBytes) this.#tooLarge()
    else this.#countdown.restart(this.#plan.now())
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#end(this.#verdict)
    if (this.#stream !== undefined) this.#stream.end()
    else this.#deliver()
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#over) return
    const { label, connectMs } = this.#destination
    const sent = this.#controller !== undefined
    const fault = connectionFault(error, { sent, endpoint: label, connectMs })
    const broke = fault instanceof ConnectionError
    const reused = this.#requestsOnConnection > 1 && !this.#responding
    this.raced = broke && reused && this.#plan.forgivesRace
    const counts = broke || fault instanceof TimeoutError
    this.#fail(fault, counts && !this.raced ? 'bad' : 'none')
  }

  expired(limit: Phase | 'total'): void {
    if (limit === 'errorBody') this.#cutBody()
    else if (limit === 'rest') this.readerLeft()
    else if (limit === 'total') {
      this.#giveUp(new TimeoutError('total', this.#plan.totalMs), this.#verdictOfDeadline)
    } else {
      const silence = limit === 'body' ? 'idle' : 'first_byte'
      this.#giveUp(new TimeoutError(silence, this.#countdown.limitMs), 'bad')
    }
  }

  /** A stream's reader waits for the next bytes: from now on silence counts. */
  readerWaits(): void {
    this.#countdown.dropDeadline()
    if (this.#over) return
    this.#countdown.start('body', this.#plan.idleMs, this.#plan.now())
  }

  /** A stream's reader has bytes to go on with: however long it takes is its own affair. */
  readerBusy(): void {
    if (!this.#over) {
      this.#countdown.dropDeadline()
      this.#countdown.start('reader', Number.POSITIVE_INFINITY, this.#plan.now())
    }
  }

  /** A stream's reader has room for more. */
  readerHasRoom(): void {
    if (!this.#over) this.#controller?.resume()
  }

  /** A stream's reader doesn't want the rest. */
  readerFinished(): void {
    if (this.#over) return
    this.#countdown.dropDeadline()
    this.#countdown.start('rest', REST_MS, this.#plan.now())
    this.#controller?.resume()
  }

  /** A stream's reader wants no more. */
  readerLeft(): void {
    if (this.#over) return
    this.#end(this.#verdict)
    this.#closeConnection(new Error('The reader left.'))
  }

  get #cutsBody(): boolean {
    return this.#plan.cutErrorBody && (this.#head?.status ?? 0) >= 400
  }

  get #verdict(): Verdict {
    return isServerFault(this.#head?.status ?? 0) ? 'bad' : 'good'
  }

  /** Silence for most of a call's time says something about the endpoint; what came late does not. */
  get #verdictOfDeadline(): Verdict {
    const waited = this.#plan.now() - this.#beganAt
    return this.#head === undefined && waited >= this.#plan.totalMs / 2 ? 'bad' : 'none'
  }

  #awaitHead(): void {
    this.#countdown.start('firstByte', this.#plan.firstByteMs, this.#sentAt)
  }

  #deliver(): void {
    if (this.#head === undefined) return
    const body = this.#chunks.length === 1 ? this.#chunks[0] : undefined
    this.#resolve({ ...this.#head, body: body ?? Buffer.concat(this.#chunks) })
  }

  #cutBody(): void {
    this.#end(this.#verdict)
    this.#deliver()
    this.#closeConnection(new Error('Enough of it has been read.'))
  }

  #tooLarge(): void {
    const { label: endpoint } = this.#destination
    this.#giveUp(new ResponseTooLargeError(this.#plan.maxBytes, { endpoint }), this.#verdict)
  }

  readonly #aborted = (): void => {
    this.#giveUp(abortedBy(this.#signal), 'none')
  }

  #giveUp(error: Error, verdict: Verdict): void {
    this.#fail(error, verdict)
    this.#closeConnection(error)
  }

  #fail(error: Error, verdict: Verdict): void {
    this.#end(verdict, error)
    if (this.#stream === undefined) {
      this.#reject(error)
      return
    }
    const failure = this.#interruption(error)
    this.remember?.(failure)
    this.#stream.fail(failure)
  }

  #interruption(cause: Error): Error {
    if (cause instanceof AbortedError) return cause
    const { label: endpoint } = this.#destination
    return new StreamInterruptedError(this.#bytes, cause.message, { cause, endpoint })
  }

  #end(verdict: Verdict, error?: Error): void {
    this.#over = true
    this.#countdown.stop()
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#destination.ended(verdict, error)
  }

  /** Still connecting, undici has nothing yet that could be aborted: it is told when it has. */
  #closeConnection(reason: Error): void {
    this.#controller?.abort(reason)
  }
}

function ignore(): void {}
