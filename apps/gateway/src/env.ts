import type { ServerResponse } from 'node:http'
import type { Exchange } from '@tidegate/server'
import type { SpanHandle } from '@tidegate/telemetry/tracing'
import type { Origin } from './answers/answer-head.ts'
import type { SharedExchange } from './answers/shared-exchange.ts'
import type { Identity } from './auth/identity.ts'
import type { Protocol } from './config/settings.ts'
import type { GatewayRequest } from './request.ts'
import type { Call } from './upstreams/call.ts'
import type { TokenMeter } from './usage/token-meter.ts'

/** What every handler of the gateway finds on its context. */
export interface GatewayEnv {
  Bindings: {
    readonly incoming: GatewayRequest
    readonly outgoing: ServerResponse
  }
  Variables: {
    readonly exchange: Exchange
    /** The request's trace. Absent: traces are off. */
    span: SpanHandle | undefined
    /** The matched route's protocol: it decides the form of errors. */
    protocol: Protocol | undefined
    /** Who is calling; `anonymous` on routes that ask nobody, and of those who needn't say. */
    identity: Identity
    /** What logs call the path where it may hold a secret. */
    loggedPath: string | undefined
    /** The headers in which a credential of this gateway was found: they go no further. */
    consumedHeaders: readonly string[] | undefined
    /** The body, where a policy of the route had to read it. */
    body: Buffer | undefined
    /** The call to the upstreams, once it is made. */
    call: Call | undefined
    /** The record of that call, where it may answer others as well. */
    led: SharedExchange | undefined
    /** How an answer came that may be others' as well. */
    served: ServedAs | undefined
    /**
     * Counts what the request uses, where its caller has a token limit. Set by `meterTokens`
     * (usage/metering.ts), which also says when all of it is over: at the response's `close`.
     */
    tokens: TokenMeter | undefined
  }
}

/** For the request's line. */
interface ServedAs {
  readonly cache: Origin['cache']
  /** It is another request's answer. */
  readonly shared: boolean
}
