import type { IncomingHttpHeaders } from 'node:http'
import { type Exchange, timingHeaders } from '@tidegate/server'
import type { Outlet } from '../answers/outlet.ts'
import type { Attempt, Head } from '../upstreams/attempt.ts'
import { errorEvent, type Failure, incomplete, optionRefused } from '../upstreams/failure.ts'
import { type BreakCode, streamError } from '../upstreams/stream-error.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import type { AnswerTokens } from '../usage/answer-tokens.ts'
import type { TokenMeter } from '../usage/token-meter.ts'
import { isReadableEventStream, isReadableJson, reset } from './answer.ts'
import {
  type Content,
  EventContent,
  JsonContent,
  KEPT_JSON_BYTES,
  RefusalContent,
} from './content.ts'
import { deliveredHeaders } from './delivered-headers.ts'
import { passTrailers } from './interim.ts'

export interface DeliveryParts {
  readonly exchange: Exchange
  readonly outgoing: Outlet
  /** The normalised path that the client asked for: it tells the stream's protocol. */
  readonly path: string
  readonly holdBack: 'off' | 'full' | number
  readonly tokens: TokenMeter | undefined
  /** Called when the head has been written. */
  readonly onCommit: () => void
}

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
  readonly #parts: DeliveryParts
  readonly #outgoing: Outlet
  readonly #exchange: Exchange
  #answer: Answer | undefined
  /** What is read in the body; absent where it passes unread. */
  #content: Content | undefined
  /** What is counted in it, where somebody wants to know. */
  #tokens: AnswerTokens | undefined
  /** Bytes of a declared length that are still to come; -1 where none was declared. */
  #remaining = -1
  /** Events in which the upstream says that it failed, kept while something better is looked for. */
  #refused: Buffer | undefined
  /** The answer whose head has gone ahead of its content. */
  #opened: Answer | undefined
  #malformed = 0

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#outgoing = parts.outgoing
    this.#exchange = parts.exchange
  }

  /** Whether the client has seen some of the answer: from then on nothing can be taken back. */
  get committed(): boolean {
    return this.#outgoing.headersSent && this.#opened === undefined
  }

  /** Whether a stream's head is all that the client has seen: only another stream can follow it. */
  get opened(): boolean {
    return this.#opened !== undefined
  }

  /** Events of a stream that were passed on although their data is no JSON. */
  get malformedEvents(): number {
    return this.#malformed + (this.#events?.malformed ?? 0)
  }

  /** Sends the head of a stream ahead of its first event, which lets wait for itself. */
  open(answer: Answer): void {
    this.#prepare(answer)
    this.#opened = answer
    this.#commit()
    this.#outgoing.flushHeaders()
  }

  /**
   * Takes the beginning of an answer, instead of any that was begun and is not committed. Returns false
   * if it can't follow the head that has gone.
   */
  begin(answer: Answer): boolean {
    this.#prepare(answer)
    if (this.#opened !== undefined) return this.#events !== undefined
    // The head goes out by itself when no body comes with it: a client may wait for nothing else.
    if (this.#content === undefined) process.nextTick(flush, this, answer)
    return true
  }

  #prepare(answer: Answer): void {
    this.takeBack()
    this.#answer = answer
    const { status, headers } = answer.head
    const length = headers['content-length']
    this.#remaining = length === undefined ? -1 : Number(length)
    const { upstream, endpoint } = answer.attempt
    const { path, holdBack, tokens } = this.#parts
    if (tokens?.question.isAsked(endpoint) && (status === 400 || status === 422)) {
      this.#content = new RefusalContent()
    }
    if (upstream.protocol === 'http' || status >= 300) return
    const isStream = isReadableEventStream(headers)
    this.#tokens = tokens?.begin(endpoint, isStream)
    if (isStream) {
      this.#content = new EventContent(terminalMarker(path), holdBack, this.#tokens)
    } else if (this.#remaining <= KEPT_JSON_BYTES && isReadableJson(headers)) {
      this.#content = new JsonContent()
    }
  }

  /** Lets go of an answer that will not be delivered. */
  takeBack(): void {
    this.#malformed = this.malformedEvents
    this.#answer = undefined
    this.#content = undefined
    this.#refused = undefined
    this.#tokens = undefined
    this.#parts.tokens?.takeBack()
  }

  /**
   * Passes bytes on. `wait`: the client takes no more for now; `done`: the answer is complete; a failure:
   * there is something wrong with the answer, and nothing of it has gone out.
   */
  data(chunk: Buffer): 'more' | 'wait' | 'done' | Failure {
    const isLast = this.#remaining === chunk.length
    if (this.#remaining > 0) this.#remaining -= chunk.length
    if (this.#events === undefined) this.#tokens?.push(chunk)
    const out = this.#content === undefined ? chunk : this.#content.push(chunk)
    // The declared length is complete: head, body and end leave in one write.
    if (isLast && this.#events === undefined) return this.#endWith(out) ?? 'done'
    if (out === undefined) return 'more'
    if (!this.committed && this.#events?.isTransientError(out)) {
      this.#refused = out
      return errorEvent(this.#current.attempt)
    }
    return this.#write(out)
  }

  /** The upstream's message has ended in good order. Returns why the answer isn't whole, if it isn't. */
  end(trailers: IncomingHttpHeaders): Failure | undefined {
    return this.#endWith(undefined, trailers)
  }

  #endWith(last: Buffer | undefined, trailers?: IncomingHttpHeaders): Failure | undefined {
    const rest = this.#content?.end()
    const { attempt } = this.#current
    if (rest === 'truncated') return incomplete(attempt, 'stream_truncated')
    if (rest !== undefined && this.#content instanceof RefusalContent) {
      const { tokens } = this.#parts
      if (tokens?.question.isRefusedIn(attempt.endpoint, rest)) return optionRefused(attempt)
    }
    this.#commit()
    if (trailers !== undefined) passTrailers(this.#outgoing, trailers)
    this.#finish(last ?? rest)
    return undefined
  }

  /** Delivers all the same what `data()` found wrong: there is nothing better to be had. */
  surface(): 'more' | 'wait' {
    const refused = this.#refused
    this.#refused = undefined
    return refused === undefined ? 'more' : this.#write(refused)
  }

  /**
   * The answer has begun and can't be completed: said in the stream where its protocol has words.
   * Returns false where all that mattered had come, so that the client lacks nothing.
   */
  break(code: BreakCode): boolean {
    const events = this.#events
    if (events?.over) {
      this.#finish(events.release())
      return false
    }
    const exchange = this.#exchange
    exchange.outcome = code === 'deadline_exceeded' ? 'deadline' : 'upstream_broken'
    exchange.errorCode = code
    const answer = this.#answer ?? this.#opened
    const isStream = events !== undefined || this.#opened !== undefined
    const tellable = answer !== undefined && isStream && events?.midEvent !== true
    const { requestId, bytesOut } = exchange
    const count = bytesOut === 0 ? 0 : (events?.events ?? 0)
    const upstream = answer?.attempt.upstream.name
    const { sink } = this.#outgoing
    if (sink !== undefined) {
      sink.break({ kind: 'broken', code, upstream, tellable, events: count })
    } else if (tellable) {
      const { name, protocol } = answer.attempt.upstream
      const delivered = { events: count, bytes: bytesOut }
      const fault = { code, upstream: name, requestId, delivered }
      this.#outgoing.end(streamError(protocol, this.#parts.path, fault))
    } else reset(this.#outgoing)
    return true
  }

  /** Lets the attempt go on when the client takes more again. Returns false: not now. */
  waitFor(attempt: Attempt): false {
    this.#outgoing.once('drain', () => attempt.resume())
    return false
  }

  /** Sends the head ahead of the body, unless it has gone or the answer is another one by now. */
  flush(answer: Answer): void {
    if (this.#answer !== answer || this.#outgoing.writableEnded || this.#outgoing.destroyed) return
    this.#commit()
    this.#outgoing.flushHeaders()
  }

  get #events(): EventContent | undefined {
    return this.#content instanceof EventContent ? this.#content : undefined
  }

  get #current(): Answer {
    if (this.#answer === undefined) throw new Error('There is no answer to deliver.')
    return this.#answer
  }

  /** Writes the head, from which on there is no way back. */
  #commit(): void {
    if (this.#outgoing.headersSent) return
    const { attempt, head, ms, attempts } = this.#current
    const { status, message } = head
    const exchange = this.#exchange
    const isStream = this.#events !== undefined
    const out = deliveredHeaders(head, exchange.headers, isStream, attempts)
    exchange.status = status
    exchange.stream = isStream || isReadableEventStream(head.headers)
    exchange.timings.push({ name: 'upstream', ms })
    // A head that goes ahead can't say who will have answered in the end.
    const isKnown = this.#opened === undefined
    const { sink } = this.#outgoing
    if (sink !== undefined) {
      const who = isKnown ? { upstream: attempt.upstream.name, attempts } : NOBODY
      sink.begin({ status, message, headers: out, ...who, stream: isStream })
    } else {
      out.push(...timingHeaders(exchange, performance.now()))
      if (isKnown) {
        out.push('x-tidegate-upstream', attempt.upstream.name)
        out.push('x-tidegate-attempts', attempts === 1 ? '1' : String(attempts))
      }
      this.#outgoing.writeHead(status, message === '' ? undefined : message, out)
    }
    exchange.sent = true
    this.#parts.onCommit()
  }

  #write(bytes: Buffer): 'more' | 'wait' {
    this.#commit()
    if (this.#opened !== undefined) this.#tellWho()
    this.#exchange.bytesOut += bytes.length
    return this.#outgoing.write(bytes) ? 'more' : 'wait'
  }

  /** Says in a comment what the head, gone ahead of the answer, could not. */
  #tellWho(): void {
    this.#opened = undefined
    const { attempt, attempts } = this.#current
    const who = `: x-tidegate-upstream: ${attempt.upstream.name}\n`
    this.#outgoing.write(`${who}: x-tidegate-attempts: ${attempts}\n\n`)
  }

  #finish(last: Buffer | undefined): void {
    this.#commit()
    this.#opened = undefined
    if (last !== undefined) this.#exchange.bytesOut += last.length
    this.#exchange.outcome = 'complete'
    const failed = this.#events?.failed === true
    if (this.#tokens !== undefined) this.#tokens.complete = !failed
    const { sink } = this.#outgoing
    if (sink === undefined) this.#outgoing.end(last)
    else sink.end(last, failed)
  }
}

const NOBODY = { upstream: undefined, attempts: undefined } as const

function flush(delivery: Delivery, answer: Answer): void {
  delivery.flush(answer)
}
