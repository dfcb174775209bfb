import type { TlsOptions } from './connector.ts'
import type { DiscoveredEndpoint, Discovery } from './discovery.ts'
import type { Egress } from './egress.ts'
import type { HttpClientEvent } from './events.ts'
import type { ResponseCache } from './response-cache.ts'

/** A credential: as it is, wrapped so that it can't be printed, or asked for at each call. */
export type Credential = string | { reveal(): string } | (() => string)

/** How calls identify themselves. */
export type Auth =
  | { readonly bearer: Credential }
  | { readonly basic: { readonly username: string; readonly password: Credential } }
  | { readonly header: string; readonly value: Credential }

/** Limits in milliseconds. 0 or `Infinity`: none. */
export interface HttpTimeouts {
  /** Until a connection stands, TLS included. Default 5 000. */
  readonly connectMs?: number | undefined
  /** From the request's being sent to the response's head. Default 30 000. */
  readonly firstByteMs?: number | undefined
  /** The longest silence within a body while somebody waits for it. Default 30 000. */
  readonly idleMs?: number | undefined
  /**
   * The whole call: waits, attempts and bodies. Default 60 000. For `stream` and `sse` it holds until the
   * body is begun to be read; how long that lasts is for its reader to say.
   */
  readonly totalMs?: number | undefined
}

/** When a failed attempt is followed by another. */
export interface HttpRetryOptions {
  /**
   * How often a call may come back, after a wait, to an endpoint that it has tried. Default 2. Turning
   * to an endpoint that it has not tried happens at once and doesn't count; six attempts end any call.
   */
  readonly retries?: number | undefined
  /** The first wait in milliseconds. Default 200; a random part of it is taken. */
  readonly initial?: number | undefined
  /** The longest wait in milliseconds; `Retry-After` may ask for more. Default 5 000. */
  readonly max?: number | undefined
  /** By what each wait is longer than the last. Default 2. */
  readonly multiplier?: number | undefined
  /** Statuses worth another attempt. Default 408, 425, 429, 500, 502, 503, 504. */
  readonly statuses?: readonly number[] | undefined
  /** At most this share of the calls is repeated, above a floor. Default 0.2 and 10 per second. */
  readonly budget?: { readonly ratio?: number; readonly perSecond?: number } | false | undefined
}

/** When an endpoint is left alone. */
export interface HttpBreakerOptions {
  /** Failures in a row. Default 5. */
  readonly failures?: number | undefined
  /** Milliseconds until it is tried again. Default 30 000. */
  readonly openForMs?: number | undefined
}

/** How many calls an endpoint gets at a time. */
export interface HttpBulkheadOptions {
  /** Default: `connections`. */
  readonly max?: number | undefined
  /** How many more may wait for a place. Default 1 000. */
  readonly queue?: number | undefined
}

/** When a second request is sent beside one that is slow. Only calls that may be repeated are hedged. */
export interface HttpHedgeOptions {
  /** Milliseconds, or the slowest 1 − `quantile` of the calls, `initialMs` until enough are known. */
  readonly after: number | { readonly quantile: number; readonly initialMs: number }
  /** At most this share of the calls. Default 0.05. */
  readonly ratio?: number | undefined
}

/** What a limit is asked about. */
export interface LimitedCall {
  readonly method: string
  readonly path: string
  /** Counts the call's attempts, from 1. */
  readonly attempt: number
  readonly signal: AbortSignal | undefined
}

/** A limit's answer. */
export interface LimitAnswer {
  readonly allowed: boolean
  readonly retryAfterMs?: number | undefined
}

/** What can be sent as a header's value. */
export type HeaderValue = string | readonly string[] | undefined

/** How a client is made. */
export interface HttpClientOptions {
  /**
   * One URL, several, or what finds them. A URL's path goes before each call's path. Several share the
   * calls by weight and by how busy they are; those of a higher `priority` are for when the others fail.
   */
  readonly baseUrls: string | readonly (string | DiscoveredEndpoint)[] | Discovery
  /** How often a discovery is asked, in milliseconds. Default 30 000. */
  readonly refreshMs?: number | undefined
  /** Sent with every call. A call's own header of the same name replaces it. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
  readonly auth?: Auth | undefined
  readonly timeouts?: HttpTimeouts | undefined
  /** `false`: one attempt. */
  readonly retry?: HttpRetryOptions | false | undefined
  /** One for each endpoint. `false`: none. */
  readonly breaker?: HttpBreakerOptions | false | undefined
  readonly bulkhead?: HttpBulkheadOptions | undefined
  readonly hedge?: HttpHedgeOptions | undefined
  /** The most connections to each endpoint. Default 100. */
  readonly connections?: number | undefined
  /** How long an unused connection is kept, in milliseconds; a server may ask for less. Default 30 000. */
  readonly keepAliveMs?: number | undefined
  /** The largest body that is read whole, decoded. Default 10 MiB. Streams have no limit. */
  readonly maxResponseBytes?: number | undefined
  readonly tls?: TlsOptions | undefined
  /** Judges every address that is connected to. Default: none is refused. */
  readonly egress?: Egress | undefined
  /** Asked before every attempt. */
  readonly limit?: ((call: LimitedCall) => LimitAnswer | Promise<LimitAnswer>) | undefined
  readonly cache?: ResponseCache | undefined
  /** Told what happens, for metrics and logs. What it throws is ignored. */
  readonly onEvent?: ((event: HttpClientEvent) => void) | undefined
  /** A clock in milliseconds that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined
}
