import type { Timing } from './timing.ts'

/** How a request ended, as far as it is known by now. */
export type Outcome = 'open' | 'complete' | 'client_gone' | 'upstream_broken' | 'deadline'

/**
 * The record of one request: who asked, what was decided, how it ended. Every stage reads and writes
 * the same plain object, so that what comes after `next()` needs no response to look at.
 */
export interface Exchange {
  /** This request's id: the one that came with it if whoever sent it may name requests, else ours. */
  readonly requestId: string
  /** The well-formed id of a client that may not name requests: for the log only. */
  readonly clientRequestId: string | undefined
  readonly method: string
  /** The name of this server in `Server-Timing` and in a deadline's error. */
  readonly service: string
  /** The socket's address, IPv4-mapped IPv6 as IPv4; `unknown` where there is no socket. */
  readonly peerIp: string
  /** The client's address: the peer's, or the one a trusted proxy speaks for. */
  readonly clientIp: string
  /** Whether the peer is one of the trusted proxies. */
  readonly peerTrusted: boolean
  /** Whether any header says that a proxy passed the request on (`X-Forwarded-*`, `Forwarded`, `Via`…). */
  readonly forwarded: boolean
  /** Start of the request in milliseconds, on the scale of `performance.now()`. */
  readonly startedAt: number
  /** The matched route's name. */
  route: string | undefined
  /** Who the caller turned out to be. */
  client: string | undefined
  tenant: string | undefined
  /** Who is being waited for right now, such as `upstream openai`: named when the deadline passes. */
  hop: string | undefined
  /** The response's status; 0 until there is one. */
  status: number
  /** Bytes of the response's body that were sent, as counted by whoever sent them. */
  bytesOut: number
  outcome: Outcome
  /** The code of the error that the request ended with. */
  errorCode: string | undefined
  /** What is behind {@link errorCode}: for the log, never for a client. */
  fault: unknown
  /** When the request's time is up, on the scale of `startedAt`; `undefined` for never. */
  deadlineAt: number | undefined
  /** True once a handler has taken over Node's response: the kit then leaves the response alone. */
  sent: boolean
  /**
   * Aborts when the deadline passes ({@link DeadlineExceeded} is its reason), when the client leaves
   * ({@link ClientGone}) or on `abort()`. Made when it is first read, and free until then.
   */
  readonly signal: AbortSignal
  /** Why the request was aborted, if it was. */
  readonly abortReason: unknown
  /** Finished hops, in order. */
  readonly timings: Timing[]
  /** What the client took to send its body, in milliseconds, as told by whoever waited for it. */
  clientMs: number
  /**
   * What this server took itself of the time to the response's head, in milliseconds: neither a hop's share
   * nor the client's. `undefined` until the timing headers are made.
   */
  ownMs: number | undefined
  /** Whether the response is an event stream, as told by whoever sent it. */
  stream: boolean
  /** The kit's response headers, flat: name, value, name, value… in lower case. */
  readonly headers: string[]
  /**
   * Gives the request up. The first reason stays; a `DeadlineExceeded` or `ClientGone` settles an
   * open `outcome` too.
   */
  abort(reason: unknown): void
}

/** What the kit's middleware adds to a Hono app: `new Hono<ExchangeEnv>()`. */
export interface ExchangeEnv {
  Variables: {
    /** `c.get('exchange')` is a look-up; `c.var.exchange` copies all variables first. */
    exchange: Exchange
  }
}
