import type { Context } from 'hono'
import { ClientGone, DeadlineExceeded } from '../problems/errors.ts'
import { isForwarded, onConnectionEnd } from './connection.ts'
import type { Exchange, Outcome } from './exchange.ts'
import type { Timing } from './timing.ts'

/** What is known of a request when it arrives. */
export interface Arrival {
  readonly context: Context
  readonly requestId: string
  readonly clientRequestId: string | undefined
  readonly service: string
  readonly peerIp: string
  readonly clientIp: string
  readonly peerTrusted: boolean
  readonly now: () => number
}

// setTimeout fires at once for anything longer.
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A request's own {@link Exchange}: all fields set in one order, so all share one shape. */
export class ExchangeRecord implements Exchange {
  readonly requestId: string
  readonly clientRequestId: string | undefined
  readonly method: string
  readonly service: string
  readonly peerIp: string
  readonly clientIp: string
  readonly peerTrusted: boolean
  readonly startedAt: number
  route: string | undefined = undefined
  client: string | undefined = undefined
  tenant: string | undefined = undefined
  hop: string | undefined = undefined
  status = 0
  bytesOut = 0
  outcome: Outcome = 'open'
  errorCode: string | undefined = undefined
  fault: unknown = undefined
  sent = false
  readonly timings: Timing[] = []
  clientMs = 0
  ownMs: number | undefined = undefined
  stream = false
  readonly headers: string[]
  readonly #context: Context
  readonly #now: () => number
  #deadlineAt: number | undefined = undefined
  #reason: unknown = undefined
  #controller: AbortController | undefined = undefined
  #timer: ReturnType<typeof setTimeout> | undefined = undefined

  constructor(arrival: Arrival) {
    this.requestId = arrival.requestId
    this.clientRequestId = arrival.clientRequestId
    this.method = arrival.context.req.method
    this.service = arrival.service
    this.peerIp = arrival.peerIp
    this.clientIp = arrival.clientIp
    this.peerTrusted = arrival.peerTrusted
    this.startedAt = arrival.now()
    this.headers = ['x-request-id', arrival.requestId]
    this.#context = arrival.context
    this.#now = arrival.now
  }

  get forwarded(): boolean {
    return isForwarded(this.#context)
  }

  get deadlineAt(): number | undefined {
    return this.#deadlineAt
  }

  set deadlineAt(at: number | undefined) {
    this.#deadlineAt = at
    if (this.#controller !== undefined) this.#arm()
  }

  get abortReason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#openController()
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    if (this.#reason !== undefined) return
    this.#reason = reason ?? new Error('The request was aborted.')
    clearTimeout(this.#timer)
    if (this.outcome === 'open') {
      if (reason instanceof DeadlineExceeded) this.outcome = 'deadline'
      else if (reason instanceof ClientGone) this.outcome = 'client_gone'
    }
    this.#controller?.abort(this.#reason)
  }

  #openController(): AbortController {
    const controller = new AbortController()
    if (this.#reason !== undefined) {
      controller.abort(this.#reason)
      return controller
    }
    this.#controller = controller
    onConnectionEnd(this.#context, (complete) => {
      if (complete) clearTimeout(this.#timer)
      else this.abort(new ClientGone())
    })
    this.#arm()
    return controller
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const at = this.#deadlineAt
    if (at === undefined || this.#reason !== undefined) return
    const left = at - this.#now()
    if (left <= 0) this.#expire(at)
    else if (left <= LONGEST_TIMER_MS) {
      this.#timer = setTimeout(() => this.#expire(at), Math.ceil(left))
      this.#timer.unref()
    }
  }

  #expire(at: number): void {
    const hop = this.hop ?? this.service
    this.abort(new DeadlineExceeded({ hop, limitMs: at - this.startedAt }))
  }
}
