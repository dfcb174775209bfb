import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Following, Recording, RecordingFault, RecordingReader } from '@tidegate/events'
import { DeadlineExceeded, type Exchange, timingHeaders } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { reset } from '../handlers/answer.ts'
import { type BreakCode, streamError } from '../upstreams/stream-error.ts'
import { answerFaultOf, type BrokenAnswer, type RefusedAnswer } from './answer-fault.ts'
import { type AnswerHead, clientHeaders, type Origin } from './answer-head.ts'
import { BeginAnew, gone } from './begin-anew.ts'
import type { Outbound } from './outbound.ts'
import type { SharedExchange } from './shared-exchange.ts'

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What says nothing of the upstream: the leader's time ran out, or its gateway failed or ended. */
const LEADERS_OWN: ReadonlySet<string> = new Set(['deadline_exceeded', 'internal_error'])

const LOST: RecordingFault = { code: 'lost', cause: undefined }

/**
 * One client's reading of an answer that is still coming: its own head, its own pace, its own deadline, and
 * the end told as its own protocol tells it.
 */
export class Serving implements RecordingReader<AnswerHead> {
  readonly #context: Context<GatewayEnv>
  readonly #exchange: Exchange
  readonly #outgoing: GatewayEnv['Bindings']['outgoing']
  readonly #recording: Recording<AnswerHead>
  readonly #origin: Origin
  readonly #outbound: Outbound
  /** The call that answers, where this client has led to it. */
  readonly #led: SharedExchange | undefined
  readonly #joinedAt = performance.now()
  #following: Following | undefined
  #head: AnswerHead | undefined
  #deadline: NodeJS.Timeout | undefined
  /** Runs while the client takes no more. */
  #stall: NodeJS.Timeout | undefined
  /** The last bytes that the client was given. */
  #last: Uint8Array | undefined
  #over = false
  #resolve: (response: Response) => void = noop
  #reject: (error: Error) => void = noop

  constructor(
    c: Context<GatewayEnv>,
    recording: Recording<AnswerHead>,
    origin: Origin,
    outbound: Outbound,
  ) {
    this.#context = c
    this.#exchange = c.get('exchange')
    this.#outgoing = c.env.outgoing
    this.#recording = recording
    this.#origin = origin
    this.#outbound = outbound
    this.#led = c.get('led')
  }

  run(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      const outgoing = this.#outgoing
      const { joinable, fault = LOST } = this.#recording
      if (joinable) this.#following = this.#recording.follow(this)
      if (outgoing.destroyed) return this.#clientLeft()
      // It may have failed between being found and being read.
      if (!joinable) return this.onFail(fault)
      // Before whoever else listens, so that the log's line finds the outcome settled.
      outgoing.prependListener('close', this.#clientLeft)
      // The call of a client has that client's deadline: only the others' may come before or after.
      if (this.#led === undefined) this.#watchDeadline()
    })
  }

  onHead(head: AnswerHead): void {
    this.#head = head
    // The head goes out by itself when no body comes with it: a client may wait for nothing else.
    process.nextTick(flush, this)
  }

  onData(chunk: Uint8Array): boolean {
    this.#begin()
    this.#exchange.bytesOut += chunk.length
    this.#last = chunk
    if (this.#outgoing.write(chunk)) return true
    this.#wait()
    return false
  }

  onEnd(): void {
    this.#begin()
    this.#settle()
    this.#exchange.outcome = 'complete'
    this.#outgoing.end()
  }

  onFail(fault: RecordingFault): void {
    const cause = fault.code === 'failed' ? answerFaultOf(fault.cause) : undefined
    const hasBegun = this.#head !== undefined
    if (fault.code === 'lagging') this.#tooSlow()
    else if (cause?.kind === 'refused' && !hasBegun) this.#refuse(cause)
    else if (cause?.kind === 'told' && hasBegun) this.onEnd()
    else if (cause?.kind === 'broken' && hasBegun) this.#cut(cause.code, cause)
    else this.#lost(fault)
  }

  /** Sends the head ahead of the body. */
  flush(): void {
    if (this.#over || this.#exchange.sent) return
    this.#begin()
    this.#outgoing.flushHeaders()
  }

  /** Writes the head, from which on there is no way back. */
  #begin(): void {
    const head = this.#head
    const exchange = this.#exchange
    if (exchange.sent || head === undefined) return
    const now = performance.now()
    exchange.status = head.status
    exchange.stream = head.stream
    if (this.#led === undefined) {
      exchange.timings.push({ name: 'shared', ms: now - this.#joinedAt })
    } else exchange.timings.push(...this.#led.timings)
    const headers = clientHeaders(head, exchange, this.#origin)
    headers.push(...timingHeaders(exchange, now))
    this.#outgoing.writeHead(head.status, head.message || undefined, headers)
    exchange.sent = true
    this.#resolve(RESPONSE_ALREADY_SENT)
  }

  #refuse(fault: RefusedAnswer): void {
    this.#settle()
    const exchange = this.#exchange
    const isOthers = this.#led === undefined
    const error = isOthers ? fault.forOther() : fault.error
    if (isOthers && LEADERS_OWN.has(fault.code) && !this.#isLate) {
      this.#reject(new BeginAnew(error))
      return
    }
    exchange.fault = fault.error
    exchange.timings.push(...(this.#led?.timings ?? []))
    exchange.headers.push(...fault.headers)
    const { cache } = this.#origin
    if (cache !== undefined) exchange.headers.push('x-tidegate-cache', cache)
    this.#reject(error)
  }

  /** Nobody makes the answer any more. */
  #lost({ code }: RecordingFault): void {
    if (this.#exchange.sent) {
      this.#cut('stream_interrupted')
      return
    }
    this.#settle()
    this.#reject(new BeginAnew(gone(code)))
  }

  /** The answer has begun and can't be completed: said in the stream where its protocol has words. */
  #cut(code: BreakCode, fault?: BrokenAnswer): void {
    this.#begin()
    this.#settle()
    const exchange = this.#exchange
    exchange.outcome = code === 'deadline_exceeded' ? 'deadline' : 'upstream_broken'
    exchange.errorCode = code
    const { target } = this.#context.env.incoming
    const isTellable = fault?.tellable ?? (this.#head?.stream === true && this.#isBetweenEvents)
    if (!isTellable || !target.ok) {
      reset(this.#outgoing)
      return
    }
    const { name, protocol } = this.#outbound.route.primary
    const { requestId, bytesOut } = exchange
    const events = bytesOut === 0 ? 0 : fault?.events
    const told = streamError(protocol, target.path, {
      ...{ code, requestId, delivered: { events, bytes: bytesOut } },
      upstream: fault?.upstream ?? this.#head?.upstream ?? name,
    })
    this.#outgoing.end(told)
  }

  get #isBetweenEvents(): boolean {
    const last = this.#last
    return last === undefined || /(?:\n\n|\r\r|\r\n\r\n)$/.test(tail(last))
  }

  #watchDeadline(): void {
    const { deadlineAt } = this.#exchange
    if (deadlineAt === undefined || deadlineAt === Number.POSITIVE_INFINITY) return
    const left = Math.max(0, Math.ceil(deadlineAt - performance.now()))
    this.#deadline = setTimeout(() => this.#expire(), Math.min(left, LONGEST_TIMER_MS))
  }

  get #isLate(): boolean {
    const { deadlineAt = Number.POSITIVE_INFINITY } = this.#exchange
    return performance.now() >= deadlineAt
  }

  /** This client's own time is up; the others' may not be. */
  #expire(): void {
    if (!this.#isLate) {
      this.#watchDeadline()
      return
    }
    const { sent, hop = 'upstream', deadlineAt = 0, startedAt } = this.#exchange
    if (sent) {
      this.#cut('deadline_exceeded')
      return
    }
    this.#settle()
    this.#reject(new DeadlineExceeded({ hop, limitMs: deadlineAt - startedAt }))
  }

  /** Waits until the client takes more, but not for ever. */
  #wait(): void {
    this.#stall = setTimeout(() => this.#tooSlow(), this.#outbound.transfer.write)
    this.#outgoing.once('drain', () => {
      clearTimeout(this.#stall)
      this.#following?.resume()
    })
  }

  #tooSlow(): void {
    this.#clientLeft()
    // Where it has only stopped reading there is nobody to tell.
    this.#outgoing.destroy()
  }

  #clientLeft = (): void => {
    if (this.#over) return
    this.#exchange.outcome = 'client_gone'
    this.#exchange.sent = true
    this.#settle()
    if (this.#led !== undefined) this.#led.leftBehind = this.#recording.state === 'open'
    this.#resolve(RESPONSE_ALREADY_SENT)
  }

  #settle(): void {
    this.#over = true
    clearTimeout(this.#deadline)
    clearTimeout(this.#stall)
    this.#outgoing.off('close', this.#clientLeft)
    this.#following?.leave()
  }
}

function tail(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'latin1',
    bytes.length - 4,
  )
}

function flush(serving: Serving): void {
  serving.flush()
}

function noop(): void {}
