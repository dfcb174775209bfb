import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import {
  ClientGone,
  DeadlineExceeded,
  type Exchange,
  ServerError,
  timingHeaders,
} from '@tidegate/server'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../problems.ts'
import { faultOf } from '../upstreams/faults.ts'
import { responseHeaders } from '../upstreams/headers.ts'
import { SseScanner } from '../upstreams/sse-scanner.ts'
import { type BreakCode, streamError } from '../upstreams/stream-error.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { flushHead, isReadableEventStream, reset } from './answer.ts'
import { tooLong, Upload } from './body.ts'
import { Countdown, type Phase } from './countdown.ts'
import { passInterim, passTrailers } from './interim.ts'

export interface PassageParts {
  readonly upstream: Upstream
  readonly exchange: Exchange
  /** The normalised path that the client asked for: it tells the stream's protocol. */
  readonly path: string
  readonly outgoing: ServerResponse
  /** The longest that the client may stop reading, in milliseconds. */
  readonly writeLimit: number
}

/**
 * One request's way to its upstream and back: the handler that undici's dispatcher calls, writing to
 * Node's response. Bytes are neither decoded nor copied; backpressure and aborts go both ways.
 *
 * `send()` resolves, with the mark of a response that is sent, when the answer has begun: the pipeline
 * above winds up while the body is still coming, not when the client's next request waits. It rejects
 * while an error can still become a response of its own.
 */
export class Passage implements Dispatcher.DispatchHandler {
  readonly #upstream: Upstream
  readonly #exchange: Exchange
  readonly #path: string
  readonly #outgoing: ServerResponse
  readonly #countdown: Countdown
  #controller: Dispatcher.DispatchController | undefined
  #scanner: SseScanner | undefined
  #resolve: (response: Response) => void = noop
  #reject: (error: Error) => void = noop
  #settled = false
  /** Bytes of a declared length that are still to come; -1 where none was declared. */
  #remaining = -1
  #sentAt = 0
  #upload: Upload | undefined
  #expired: Phase | 'deadline' | undefined

  constructor({ upstream, exchange, path, outgoing, writeLimit }: PassageParts) {
    this.#upstream = upstream
    this.#exchange = exchange
    this.#path = path
    this.#outgoing = outgoing
    const { firstByte, idle } = upstream.timeouts
    const deadlineAt = exchange.deadlineAt ?? Number.POSITIVE_INFINITY
    this.#countdown = new Countdown({ firstByte, idle, write: writeLimit }, deadlineAt, this)
  }

  send(
    path: string,
    method: string,
    headers: string[],
    body: Buffer | Upload | null,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#upstream.traffic.inFlight += 1
      this.#sentAt = performance.now()
      if (body instanceof Upload) this.#upload = body
      const from = this.#upload === undefined ? this.#sentAt : Number.POSITIVE_INFINITY
      this.#countdown.start('firstByte', from)
      if (this.#outgoing.destroyed) {
        this.#clientLeft()
        return
      }
      // Before whoever else listens, so that the log's line finds the outcome settled.
      this.#outgoing.prependListener('close', this.#clientLeft)
      this.#upstream.pool.dispatch(
        { path, method: method as Dispatcher.HttpMethod, headers, body },
        this,
      )
    })
  }

  /** The upstream can begin to answer now: until here it was the client's time. */
  bodySent(): void {
    if (this.#settled || this.#countdown.phase !== 'firstByte') return
    this.#sentAt = performance.now()
    this.#countdown.start('firstByte', this.#sentAt)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled) controller.abort(new Error('No longer wanted.'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    message?: string,
  ): void {
    if (status < 200) {
      passInterim(this.#outgoing, status, headers)
      return
    }
    const now = performance.now()
    const { traffic, name, protocol } = this.#upstream
    traffic.answered += 1
    traffic.lastAnswerAt = Date.now()
    this.#exchange.status = status
    this.#exchange.timings.push({ name: 'upstream', ms: now - this.#sentAt })
    this.#countdown.start('idle', now)
    if (protocol !== 'http' && status < 300 && isReadableEventStream(headers)) {
      this.#scanner = new SseScanner(terminalMarker(this.#path))
    } else if (headers['content-length'] !== undefined) {
      this.#remaining = Number(headers['content-length'])
    }
    const out: string[] = []
    responseHeaders(headers, this.#exchange.headers, out)
    if (this.#scanner !== undefined && headers['x-accel-buffering'] === undefined) {
      // A proxy in front of us, such as nginx, would gather the events.
      out.push('x-accel-buffering', 'no')
    }
    out.push(...timingHeaders(this.#exchange, now))
    out.push('x-tidegate-upstream', name, 'x-tidegate-attempts', '1')
    this.#outgoing.writeHead(status, message === '' ? undefined : message, out)
    this.#exchange.sent = true
    this.#resolve(RESPONSE_ALREADY_SENT)
    process.nextTick(flushHead, this.#outgoing)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#exchange.bytesOut += chunk.length
    if (this.#remaining === chunk.length) {
      // The declared length is complete: head, body and end leave in one write.
      this.#complete(chunk)
      return
    }
    if (this.#remaining > 0) this.#remaining -= chunk.length
    const out = this.#scanner === undefined ? chunk : this.#scanner.push(chunk)
    const now = performance.now()
    if (out === undefined || this.#outgoing.write(out)) {
      this.#countdown.restart(now)
      return
    }
    controller.pause()
    this.#countdown.start('write', now)
    this.#outgoing.once('drain', this.#onDrain)
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#settled) return
    const rest = this.#scanner?.rest()
    if (this.#scanner?.truncated) {
      this.#upstreamFailed('stream_truncated')
      this.#break('stream_truncated')
      return
    }
    if (rest !== undefined) this.#outgoing.write(rest)
    passTrailers(this.#outgoing, trailers)
    this.#complete()
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#settled) return
    // A body that is too large or too slow is the client's doing, and no failure of the upstream's.
    if (error instanceof ClientGone) this.#clientLeft()
    else if (error instanceof ServerError) this.#fail(error)
    else this.#upstreamBroke(error)
  }

  /** A limit ran out. */
  expired(limit: Phase | 'deadline'): void {
    if (limit === 'write') {
      // The client has stopped reading: there is nobody to tell.
      this.#clientLeft()
      this.#outgoing.destroy()
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

  #complete(last?: Buffer): void {
    this.#exchange.outcome = 'complete'
    this.#settle()
    this.#outgoing.end(last)
  }

  #fail(error: Error): void {
    this.#settle()
    this.#reject(error)
  }

  /** The answer has begun and can't be completed: said in the stream where its protocol has words. */
  #break(code: BreakCode): void {
    const scanner = this.#scanner
    if (scanner?.ending === 'complete' || scanner?.ending === 'failed') {
      this.#complete()
      return
    }
    this.#exchange.outcome = code === 'deadline_exceeded' ? 'deadline' : 'upstream_broken'
    this.#exchange.errorCode = code
    this.#settle()
    if (scanner === undefined || scanner.midEvent) {
      reset(this.#outgoing)
    } else {
      const { name, protocol } = this.#upstream
      const fault = { code, upstream: name, requestId: this.#exchange.requestId }
      this.#outgoing.end(streamError(protocol, this.#path, fault))
    }
  }

  #upstreamBroke(error: Error): void {
    this.#exchange.fault = error
    const fault = this.#expired === undefined ? faultOf(error) : this.#timeoutError(error)
    this.#upstreamFailed(fault instanceof ServerError ? fault.code : 'internal_error')
    if (this.#exchange.sent) this.#break(this.#breakCode())
    else this.#fail(fault)
  }

  #breakCode(): BreakCode {
    if (this.#expired === 'deadline') return 'deadline_exceeded'
    return this.#expired === 'idle' ? 'stream_idle' : 'stream_interrupted'
  }

  #upstreamFailed(code: string): void {
    const { traffic } = this.#upstream
    traffic.failed += 1
    traffic.lastFailureAt = Date.now()
    traffic.lastFailure = code
  }

  #settle(): void {
    this.#settled = true
    this.#upstream.traffic.inFlight -= 1
    this.#countdown.stop()
    this.#outgoing.off('close', this.#clientLeft)
  }

  #clientLeft = (): void => {
    if (this.#settled) return
    this.#exchange.outcome = 'client_gone'
    this.#exchange.sent = true
    this.#settle()
    this.#controller?.abort(new Error('The client left.'))
    this.#resolve(RESPONSE_ALREADY_SENT)
  }

  #onDrain = (): void => {
    if (this.#settled) return
    this.#countdown.start('idle', performance.now())
    this.#controller?.resume()
  }

  #timeoutError(cause: Error): ServerError<string> {
    const { name, timeouts } = this.#upstream
    if (this.#expired === 'deadline') {
      return new DeadlineExceeded({ hop: `upstream ${name}`, limitMs: timeouts.total })
    }
    const limit = `${timeouts.firstByte / 1000} s`
    return new GatewayError('upstream_timeout', `"${name}" sent no response within ${limit}.`, {
      cause,
    })
  }
}

function noop(): void {}
