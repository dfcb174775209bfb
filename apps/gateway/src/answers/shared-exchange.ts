import type { Exchange, Outcome, Timing } from '@tidegate/server'

/**
 * The record of a call that answers several clients. It goes by the request that led to it, whose id and
 * deadline it has, and goes on when that one has left.
 */
export class SharedExchange implements Exchange {
  readonly requestId: string
  readonly clientRequestId: string | undefined
  readonly method: string
  readonly service: string
  readonly peerIp: string
  readonly clientIp: string
  readonly peerTrusted: boolean
  readonly forwarded: boolean
  readonly startedAt: number
  route: string | undefined
  client: string | undefined
  tenant: string | undefined
  hop: string | undefined
  status = 0
  bytesOut = 0
  outcome: Outcome = 'open'
  errorCode: string | undefined = undefined
  fault: unknown = undefined
  deadlineAt: number | undefined
  sent = false
  readonly timings: Timing[] = []
  clientMs = 0
  ownMs: number | undefined = undefined
  stream = false
  /** None of a client's own: they are put to the answer when it is served. */
  readonly headers: string[] = []
  /** Whether the client that led to it had left before it was over: its line couldn't tell the end. */
  leftBehind = false
  readonly #abort = new AbortController()

  constructor(leader: Exchange, deadlineAt = leader.deadlineAt) {
    this.requestId = leader.requestId
    this.clientRequestId = leader.clientRequestId
    this.method = leader.method
    this.service = leader.service
    this.peerIp = leader.peerIp
    this.clientIp = leader.clientIp
    this.peerTrusted = leader.peerTrusted
    this.forwarded = leader.forwarded
    this.startedAt = leader.startedAt
    this.route = leader.route
    this.client = leader.client
    this.tenant = leader.tenant
    this.hop = leader.hop
    this.deadlineAt = deadlineAt
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get abortReason(): unknown {
    return this.#abort.signal.reason
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason)
  }
}
