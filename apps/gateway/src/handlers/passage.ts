import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Exchange } from '@tidegate/server'
import { ServerError, timingHeaders } from '@tidegate/server'
import type { Dispatcher } from 'undici'
import { GatewayError, type GatewayErrorCode } from '../problems.ts'
import { responseHeaders } from '../upstreams/headers.ts'
import { SseScanner } from '../upstreams/sse-scanner.ts'
import { streamError } from '../upstreams/stream-error.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { faultOf } from '../upstreams/faults.ts'
import { ClientGone, type Upload } from './body.ts'

/** What is being waited for; each has its own limit. */
type Phase = 'firstByte' | 'idle' | 'write'

/**
 * One request's way to its upstream and back: the handler that undici's dispatcher calls, writing to
 * Node's response. Bytes are neither decoded nor copied; backpressure and aborts go both ways.
 *
 * `send()` settles when the response has ended, however it did; it rejects while an error can still
 * become a response of its own.
 */
export class Passage implements Dispatcher.DispatchHandler {
  readonly #upstream: Upstream
  readonly #exchange: Exchange
  readonly #outgoing: ServerResponse
  readonly #limits: Record<Phase, number>
  #controller: Dispatcher.DispatchController | undefined
  #scanner: SseScanner | undefined
  #resolve: () => void = noop
  #reject: (error: Error) => void = noop
  #settled = false
  #remaining = -1
  #sentAt = 0
  #timer: NodeJS.Timeout | undefined
  #timerAt = 0
  #phase: Phase = 'firstByte'
  #phaseEndsAt = 0
  #expired: GatewayErrorCode | undefined

  constructor(upstream: Upstream, exchange: Exchange, outgoing: ServerResponse, write: number) {
    this.#upstream = upstream
    this.#exchange = exchange
    this.#outgoing = outgoing
    const { firstByte, idle } = upstream.timeouts
    this.#limits = { firstByte, idle, write }
  }

  send(path: string, method: string, headers: string[], body: Buffer | Upload | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#upstream.traffic.inFlight += 1
      this.#outgoing.once('close', this.#onClose)
      this.#sentAt = performance.now()
      this.#wait('firstByte', body instanceof Buffer || body === null ? this.#sentAt : Infinity)
      if (this.#outgoing.closed || this.#outgoing.destroyed) return this.#onClose()
      this.#upstream.pool.dispatch(
        { path, method: method as Dispatcher.HttpMethod, headers, body },
        this,
      )
    })
  }

  /** The upstream can begin to answer now: until here it was the client's time. */
  bodySent(now: number): void {
    if (this.#phase === 'firstByte' && !this.#settled) this.#wait('firstByte', now)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled) controller.abort(new Error('The client left.'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    message?: string,
  ): void {
    if (status < 200) return this.#informational(status, headers)
    const now = performance.now()
    const { traffic, name, protocol } = this.#upstream
    traffic.answered += 1
    traffic.lastAnswerAt = Date.now()
    this.#exchange.status = status
    this.#exchange.timings.push({ name: 'upstream', ms: now - this.#sentAt })
    this.#wait('idle', now)
    if (protocol !== 'http' && status < 300 && isReadableEventStream(headers)) {
      this.#scanner = new SseScanner(terminalMarker(this.#exchange.path))
    } else if (headers['content-length'] !== undefined) {
      this.#remaining = Number(headers['content-length'])
    }
    const out: string[] = []
    responseHeaders(headers, this.#exchange.headers, out)
    const timing = timingHeaders(this.#exchange, now)
    out.push('server-timing', timing.serverTiming, 'x-response-time', timing.responseTime)
    out.push('x-tidegate-upstream', name, 'x-tidegate-attempts', '1')
    this.#outgoing.writeHead(status, message === '' ? undefined : message, out)
    this.#exchange.sent = true
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
      this.#phaseEndsAt = now + this.#limits.idle
      return
    }
    controller.pause()
    this.#wait('write', now)
    this.#outgoing.once('drain', this.#onDrain)
  }

  onResponseEnd(): void {
    if (this.#settled) return
    const rest = this.#scanner?.rest()
    if (this.#scanner?.truncated) return this.#break('stream_truncated')
    if (rest !== undefined) this.#outgoing.write(rest)
    this.#complete()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settled) return
    if (error instanceof ClientGone) return this.#onClose()
    // A body that is too large or too slow is the client's doing, and no failure of the upstream's.
    if (error instanceof ServerError || error instanceof GatewayError) return this.#fail(error)
    const fault = this.#expired === undefined ? faultOf(error) : this.#timeoutError(error)
    const { traffic } = this.#upstream
    traffic.failed += 1
    traffic.lastFailureAt = Date.now()
    traffic.lastFailure = fault instanceof GatewayError ? fault.code : 'internal_error'
    this.#exchange.fault = error
    if (this.#exchange.sent) this.#break(this.#expired ?? 'stream_interrupted')
    else this.#fail(fault)
  }

  /** Interim answers are for whoever asked with HTTP/1.1; a 100 is ours to give (RFC 9110 §15.2). */
  #informational(status: number, headers: IncomingHttpHeaders): void {
    if (this.#outgoing.req.httpVersionMinor === 0) return
    if (status === 102) this.#outgoing.writeProcessing()
    if (status !== 103 || headers.link === undefined) return
    try {
      this.#outgoing.writeEarlyHints({ ...headers, link: headers.link })
    } catch {
      // A hint that Node finds malformed is one the client can do without.
    }
  }

  #complete(last?: Buffer): void {
    this.#exchange.outcome = 'complete'
    this.#settle()
    this.#outgoing.end(last)
    this.#resolve()
  }

  #fail(error: Error): void {
    this.#settle()
    this.#reject(error)
  }

  /** The answer has begun and can't be completed: said in the stream where its protocol has words. */
  #break(code: GatewayErrorCode): void {
    const scanner = this.#scanner
    if (scanner?.ending === 'complete' || scanner?.ending === 'failed') return this.#complete()
    this.#exchange.outcome = code === 'deadline_exceeded' ? 'deadline' : 'upstream_broken'
    this.#exchange.errorCode = code
    this.#settle()
    if (scanner !== undefined && !scanner.midEvent) {
      const { requestId, path } = this.#exchange
      const message = brokenStream(code, this.#upstream.name)
      const fault = { code, message, requestId }
      this.#outgoing.end(streamError(this.#upstream.protocol, path, fault))
    } else {
      reset(this.#outgoing)
    }
    this.#resolve()
  }

  #settle(): void {
    this.#settled = true
    this.#upstream.traffic.inFlight -= 1
    clearTimeout(this.#timer)
    this.#outgoing.off('close', this.#onClose)
  }

  #onClose = (): void => {
    if (this.#settled) return
    this.#exchange.outcome = 'client_gone'
    this.#exchange.sent = true
    this.#settle()
    this.#controller?.abort(new Error('The client left.'))
    this.#resolve()
  }

  #onDrain = (): void => {
    if (this.#settled) return
    this.#wait('idle', performance.now())
    this.#controller?.resume()
  }

  /**
   * One timer serves all limits of a request: it fires at the earliest of them as known when it was
   * set, and is set again when the limit has moved since. A quiet stream costs one timer, a busy one none.
   */
  #wait(phase: Phase, now: number): void {
    this.#phase = phase
    this.#phaseEndsAt = now + this.#limits[phase]
    if (this.#timer !== undefined && this.#timerAt <= this.#phaseEndsAt) return
    this.#setTimer()
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Math.min(this.#phaseEndsAt, this.#exchange.deadlineAt ?? Infinity)
    const ms = Math.ceil(this.#timerAt - performance.now())
    this.#timer = Number.isFinite(ms) ? setTimeout(onTimer, Math.max(ms, 1), this) : undefined
  }

  /** @internal The timer's own. */
  expire(): void {
    const now = performance.now()
    if (now >= (this.#exchange.deadlineAt ?? Infinity)) this.#expired = 'deadline_exceeded'
    else if (now < this.#phaseEndsAt) return this.#setTimer()
    else this.#expired = this.#phase === 'firstByte' ? 'upstream_timeout' : 'stream_idle'
    if (this.#phase === 'write') {
      // The client has stopped reading: there is nobody to tell.
      this.#onClose()
      this.#outgoing.destroy()
      return
    }
    const abort = new Error(this.#expired)
    if (this.#controller === undefined) this.#abandon(abort)
    else this.#controller.abort(abort)
  }

  /** Still queued or connecting: undici has nothing yet that could be aborted, and is told when it has. */
  #abandon(reason: Error): void {
    this.onResponseError(undefined as never, reason)
  }

  #timeoutError(cause: Error): GatewayError {
    const { name, timeouts } = this.#upstream
    const code = this.#expired ?? 'upstream_timeout'
    const message =
      code === 'deadline_exceeded'
        ? `"${name}" had not answered when the request's ${timeouts.total / 1000} s were used up.`
        : `"${name}" sent no response within ${timeouts.firstByte / 1000} s.`
    return new GatewayError(code, message, { cause })
  }
}

function brokenStream(code: GatewayErrorCode, upstream: string): string {
  switch (code) {
    case 'stream_truncated':
      return `"${upstream}" ended this stream without its closing event: the answer is incomplete.`
    case 'stream_idle':
      return `"${upstream}" fell silent in mid-stream: the answer is incomplete.`
    case 'deadline_exceeded':
      return `The time for this request is used up: the answer is incomplete.`
    default:
      return `"${upstream}" broke off in mid-stream: the answer is incomplete.`
  }
}

/** Only an uncompressed event stream can be read, and so kept whole, on its way through. */
function isReadableEventStream(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-type']?.startsWith('text/event-stream') === true &&
    (headers['content-encoding'] ?? 'identity') === 'identity'
  )
}

/** An RST where the connection has one: no reader can take what came for the whole. */
function reset(outgoing: ServerResponse): void {
  const { socket } = outgoing
  if (socket === null) outgoing.destroy()
  else if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}

/** The head goes out by itself when no body came with it: an SSE client waits for nothing else. */
function flushHead(outgoing: ServerResponse): void {
  if (!outgoing.writableEnded && !outgoing.destroyed) outgoing.flushHeaders()
}

function onTimer(passage: Passage): void {
  passage.expire()
}

function noop(): void {}
