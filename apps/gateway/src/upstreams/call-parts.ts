import type { Exchange } from '@tidegate/server'
import type { Outlet } from '../answers/outlet.ts'
import type { TokenMeter } from '../usage/token-meter.ts'
import type { Message } from './attempt.ts'
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
  message(upstream: Upstream, endpoint: Endpoint): Message
}

export interface CallParts {
  /** In order of failover. */
  readonly upstreams: readonly Upstream[]
  readonly ask: Ask
  readonly exchange: Exchange
  readonly outgoing: Outlet
  readonly failureLog: FailureLog
  readonly holdBack: 'off' | 'full' | number
  /** Counts what the request uses, where somebody wants to know. */
  readonly tokens: TokenMeter | undefined
  /** The longest that the client may stop reading, in milliseconds. */
  readonly writeLimit: number
}
