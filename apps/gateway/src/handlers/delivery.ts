import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { type Exchange, timingHeaders } from '@tidegate/server'
import type { Attempt, Head } from '../upstreams/attempt.ts'
import { errorEvent, type Failure, incomplete } from '../upstreams/failure.ts'
import { responseHeaders } from '../upstreams/headers.ts'
import { HoldBack } from '../upstreams/hold-back.ts'
import { SseScanner } from '../upstreams/sse-scanner.ts'
import { type BreakCode, streamError } from '../upstreams/stream-error.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import { isWholeJson } from '../upstreams/whole-json.ts'
import { isReadableEventStream, isReadableJson, reset } from './answer.ts'
import { passTrailers } from './interim.ts'

export interface DeliveryParts {
  readonly exchange: Exchange
  readonly outgoing: ServerResponse
  /** The normalised path that the client asked for: it tells the stream's protocol. */
  readonly path: string
  readonly holdBack: 'off' | 'full' | number
  /** Called when the head has been written. */
  readonly onCommit: () => void
}

/** A JSON answer up to this size is kept until it is whole: nobody can use half of it anyway. */
const KEPT_JSON_BYTES = 64 * 1024

/** An answer that has begun to come. */
export interface Answer {
  readonly attempt: Attempt
  readonly head: Head
  /** From the request to the head, in milliseconds. */
  readonly ms: number
  /** Attempts made so far, on all upstreams. */
  readonly attempts: number
}

/**
 * The answer on its way to the client: the head as it may cross, the body byte for byte, and its end
 * told truthfully. Until the first byte is out, all of it can be taken back and begun anew.
 */
export class Delivery {
  readonly #exchange: Exchange
  readonly #outgoing: ServerResponse
  readonly #path: string
  readonly #holdBack: DeliveryParts['holdBack']
  readonly #onCommit: () => void
  #answer: Answer | undefined
  #scanner: SseScanner | undefined
  #held: HoldBack | undefined
  #json: Buffer[] | undefined
  #jsonBytes = 0
  #refused: Buffer | undefined
  /** Bytes of a declared length that are still to come; -1 where none was declared. */
  #remaining = -1

  constructor({ exchange, outgoing, path, holdBack, onCommit }: DeliveryParts) {
    this.#exchange = exchange
    this.#outgoing = outgoing
    this.#path = path
    this.#holdBack = holdBack
    this.#onCommit = onCommit
  }

  /** Whether the client has seen some of the answer: from then on nothing can be taken back. */
  get committed(): boolean {
    return this.#outgoing.headersSent
  }

  /** Events of a stream that were passed on although their data is no JSON. */
  get malformedEvents(): number {
    return this.#scanner?.malformed ?? 0
  }

  /** Takes the beginning of an answer, instead of any that was begun and is not committed. */
  begin(answer: Answer): void {
    this.takeBack()
    this.#answer = answer
    const { status, headers } = answer.head
    const length = headers['content-length']
    this.#remaining = length === undefined ? -1 : Number(length)
    const isAi = answer.attempt.upstream.protocol !== 'http' && status < 300
    if (isAi && isReadableEventStream(headers)) {
      this.#remaining = -1
      this.#scanner = new SseScanner(terminalMarker(this.#path))
      if (this.#holdBack !== 'off') this.#held = new HoldBack(this.#holdBack)
    } else if (isAi && this.#remaining <= KEPT_JSON_BYTES && isReadableJson(headers)) {
      this.#json = []
      this.#jsonBytes = 0
    } else {
      // The head goes out by itself when no body comes with it: a client may wait for nothing else.
      process.nextTick(flush, this, answer)
    }
  }

  /** Lets go of an answer that will not be delivered. */
  takeBack(): void {
    this.#answer = undefined
    this.#scanner = undefined
    this.#held = undefined
    this.#json = undefined
    this.#refused = undefined
  }

  /** Delivers all the same what `data()` found wrong: there is nothing better to be had. */
  surface(): 'more' | 'wait' {
    const refused = this.#refused
    this.#refused = undefined
    return refused === undefined ? 'more' : this.#write(refused)
  }

  /**
   * Passes bytes on. `wait`: the client takes no more for now; `done`: the answer is complete; a failure:
   * there is something wrong with the answer, and nothing of it has gone out.
   */
  data(chunk: Buffer): 'more' | 'wait' | 'done' | Failure {
    if (this.#json !== undefined) return this.#keepJson(chunk, this.#json)
    if (this.#scanner !== undefined) return this.#passEvents(chunk, this.#scanner)
    if (this.#remaining === chunk.length) {
      // The declared length is complete: head, body and end leave in one write.
      this.#finish(chunk)
      return 'done'
    }
    if (this.#remaining > 0) this.#remaining -= chunk.length
    return this.#write(chunk)
  }

  /** The upstream's message has ended in good order. Returns why the answer isn't whole, if it isn't. */
  end(trailers: IncomingHttpHeaders): Failure | undefined {
    if (this.#json !== undefined) {
      const body = Buffer.concat(this.#json)
      if (body.length > 0 && !isWholeJson(body)) return this.#incomplete()
      this.#commit()
      passTrailers(this.#outgoing, trailers)
      this.#finish(body)
      return undefined
    }
    const rest = this.#scanner?.rest()
    if (this.#scanner?.truncated) return this.#incomplete()
    this.#release()
    if (rest !== undefined) this.#write(rest)
    this.#commit()
    passTrailers(this.#outgoing, trailers)
    this.#finish()
    return undefined
  }

  /**
   * The answer has begun and can't be completed: said in the stream where its protocol has words.
   * Returns false where all that mattered had come, so that the client lacks nothing.
   */
  break(code: BreakCode): boolean {
    const scanner = this.#scanner
    if (scanner?.ending === 'complete' || scanner?.ending === 'failed') {
      this.#release()
      this.#finish()
      return false
    }
    this.#exchange.outcome = code === 'deadline_exceeded' ? 'deadline' : 'upstream_broken'
    this.#exchange.errorCode = code
    if (scanner === undefined || scanner.midEvent || this.#answer === undefined) {
      reset(this.#outgoing)
      return true
    }
    const { name, protocol } = this.#answer.attempt.upstream
    const { requestId, bytesOut } = this.#exchange
    const delivered = { events: scanner.events, bytes: bytesOut }
    const fault = { code, upstream: name, requestId, delivered }
    this.#outgoing.end(streamError(protocol, this.#path, fault))
    return true
  }

  /** Calls back when the client takes more again. */
  onDrain(resume: () => void): void {
    this.#outgoing.once('drain', resume)
  }

  #keepJson(chunk: Buffer, kept: Buffer[]): 'more' | 'wait' | 'done' | Failure {
    if (this.#remaining === chunk.length && kept.length === 0) {
      // An upstream that cuts an answer may declare the length of what it cut.
      if (!isWholeJson(chunk)) return this.#incomplete()
      this.#json = undefined
      this.#finish(chunk)
      return 'done'
    }
    kept.push(chunk)
    this.#jsonBytes += chunk.length
    if (this.#jsonBytes <= KEPT_JSON_BYTES) return 'more'
    this.#json = undefined
    if (this.#remaining > 0) this.#remaining -= this.#jsonBytes
    return this.#write(Buffer.concat(kept))
  }

  #passEvents(chunk: Buffer, scanner: SseScanner): 'more' | 'wait' | Failure {
    const out = scanner.push(chunk)
    if (out === undefined) return 'more'
    if (scanner.ending === 'failed' && !this.committed && isTransient(out)) {
      this.#refused = out
      return errorEvent(this.#current.attempt)
    }
    if (this.#held === undefined) return this.#write(out)
    // A finish reason alone is no end: usage may still come, and the stream may still break.
    const ended = scanner.ending === 'complete' || scanner.ending === 'failed'
    const due = this.#held.push(out, scanner.events, ended)
    return due === undefined ? 'more' : this.#write(due)
  }

  /** Lets go of what was kept back: the stream has ended well. */
  #release(): void {
    const kept = this.#held?.push(NOTHING, 0, true)
    if (kept !== undefined && kept.length > 0) this.#write(kept)
  }

  #incomplete(): Failure {
    return incomplete(this.#current.attempt, 'stream_truncated')
  }

  get #current(): Answer {
    if (this.#answer === undefined) throw new Error('There is no answer to deliver.')
    return this.#answer
  }

  /** Writes the head, from which on there is no way back. */
  #commit(): void {
    if (this.#outgoing.headersSent) return
    const { attempt, head, ms, attempts } = this.#current
    const { status, headers, message } = head
    const exchange = this.#exchange
    exchange.status = status
    const out: string[] = []
    // An error event of ours has to have room behind what a stream was declared to be.
    if (this.#scanner !== undefined) delete headers['content-length']
    responseHeaders(headers, exchange.headers, out)
    if (this.#scanner !== undefined && headers['x-accel-buffering'] === undefined) {
      // A proxy in front of us, such as nginx, would gather the events.
      out.push('x-accel-buffering', 'no')
    }
    // We have repeated it already: an SDK's own retries would multiply ours.
    if (status >= 400 && attempts > 1) setShouldRetry(out, 'false')
    exchange.timings.push({ name: 'upstream', ms })
    out.push(...timingHeaders(exchange, performance.now()))
    out.push('x-tidegate-upstream', attempt.upstream.name)
    out.push('x-tidegate-attempts', attempts === 1 ? '1' : String(attempts))
    this.#outgoing.writeHead(status, message === '' ? undefined : message, out)
    exchange.sent = true
    this.#onCommit()
  }

  #write(bytes: Buffer): 'more' | 'wait' {
    this.#commit()
    this.#exchange.bytesOut += bytes.length
    return this.#outgoing.write(bytes) ? 'more' : 'wait'
  }

  #finish(last?: Buffer): void {
    this.#commit()
    if (last !== undefined) this.#exchange.bytesOut += last.length
    this.#exchange.outcome = 'complete'
    this.#outgoing.end(last)
  }

  /** Sends the head ahead of the body, unless it has gone or the answer is another one by now. */
  flush(answer: Answer): void {
    if (this.#answer !== answer || this.#outgoing.writableEnded || this.#outgoing.destroyed) return
    this.#commit()
    this.#outgoing.flushHeaders()
  }
}

function flush(delivery: Delivery, answer: Answer): void {
  delivery.flush(answer)
}

const NOTHING = Buffer.alloc(0)

const TRANSIENT = /overloaded|server_error|api_error|rate_limit|timeout|unavailable/

/** Whether an error event speaks of a trouble that another try may not meet. */
function isTransient(events: Buffer): boolean {
  return TRANSIENT.test(events.toString('latin1'))
}

function setShouldRetry(headers: string[], value: string): void {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'x-should-retry')
  if (at === -1) headers.push('x-should-retry', value)
  else headers[at + 1] = value
}
