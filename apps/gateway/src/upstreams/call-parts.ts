import type { Exchange } from '@tidegate/server'
import type { SpanHandle } from '@tidegate/telemetry/tracing'
import type { Outlet } from '../answers/outlet.ts'
import type { TokenMeter } from '../usage/token-meter.ts'
import type { Message } from './attempt.ts'
import type { CallObserver } from './call-observer.ts'
import type { Endpoint } from './endpoint.ts'
import type { FailureLog } from './failure-log.ts'
import type { Upstream } from './upstream.ts'

/** The request as the upstreams get it. */
export interface Ask {
  readonly method: string
  /** The normalised path that the client asked for: it tells a stream's protocol. */
  readonly path: string
  /** Whether it can be sent more than once. */
  readonly replayable: boolean
  /** Its body, where that is here as a whole. */
  readonly content: Buffer | undefined
  /** Where it goes on an endpoint: its path and query there. */
  target(endpoint: Endpoint): string
  /** `traceHeaders`: flat; they go out in place of the client's, where there are any. */
  message(upstream: Upstream, endpoint: Endpoint, traceHeaders?: readonly string[]): Message
}

export interface CallParts {
  /** In order of failover. */
  readonly upstreams: readonly Upstream[]
  readonly ask: Ask
  readonly exchange: Exchange
  readonly outgoing: Outlet
  readonly failureLog: FailureLog
  /** Absent: nobody looks. */
  readonly observer?: CallObserver | undefined
  /** The span of the request that is answered. */
  readonly span?: SpanHandle | undefined
  readonly holdBack: 'off' | 'full' | number
  /** Counts what the request uses, where somebody wants to know. */
  readonly tokens: TokenMeter | undefined
  /** The longest that the client may stop reading, in milliseconds. */
  readonly writeLimit: number
}
