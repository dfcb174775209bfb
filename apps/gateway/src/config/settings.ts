import type { Secret } from '@tidegate/config'

/**
 * What the gateway runs on: the configuration compiled at load, so that nothing is parsed per request.
 * Durations are milliseconds, sizes bytes.
 */
export interface Settings {
  /** The file it was read from, as it was named. Absent: the environment alone. */
  readonly configFile?: string
  readonly profile: Profile
  readonly logLevel: LogLevel
  /** Where log lines go. Absent: stdout. */
  readonly logFile?: LogFileSettings
  readonly server: ServerSettings
  readonly admin: { readonly key: Secret | undefined }
  readonly upstreams: readonly UpstreamSettings[]
  readonly routes: readonly RouteSettings[]
  readonly keys: readonly KeySettings[]
}

export type Profile = 'development' | 'test' | 'staging' | 'production'
type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
export type Protocol = 'openai' | 'anthropic' | 'http'

interface LogFileSettings {
  /** An absolute path; date and number are put before its extension. */
  readonly file: string
  readonly maxSize: number
  readonly frequency: 'daily' | 'hourly'
  readonly keep: number
}

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly trustedProxies: readonly string[]
  readonly bodyLimit: number
  readonly keepAlive: number
  readonly maxConnections: number
  readonly compression: boolean
  readonly cors: { readonly origins: readonly string[] }
  readonly drain: { readonly delay: number; readonly timeout: number }
  readonly timeouts: {
    /** The request's head must be in within this time. */
    readonly headers: number
    /** The longest silence inside a request's body. */
    readonly body: number
    /** The longest a client may stop reading. */
    readonly write: number
  }
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

export interface UpstreamSettings {
  readonly name: string
  readonly protocol: Protocol
  /** At least one. */
  readonly endpoints: readonly EndpointSettings[]
  /** Alias → the upstream's own name of a model. */
  readonly models: ReadonlyMap<string, string>
  readonly timeouts: {
    readonly connect: number
    readonly firstByte: number
    readonly idle: number
    readonly total: number
  }
  readonly retry: RetrySettings
  /** Absent: off. */
  readonly breaker: { readonly failures: number; readonly openFor: number } | undefined
  readonly concurrency: { readonly max: number; readonly queue: number }
  /** Absent: off. */
  readonly hedge: HedgeSettings | undefined
  /** Set on the built-in demo model, so that start-up and health can say what it is. */
  readonly demo: boolean
}

export interface EndpointSettings {
  readonly url: URL
  readonly apiKey: Secret | undefined
  /** Its share beside the others'; above 0. */
  readonly weight: number
}

/** Of one request, on all its upstreams together: a storm is not answered with a storm. */
export const MAX_ATTEMPTS = 6

export interface RetrySettings {
  /** Extra tries on this upstream; 0 = off. */
  readonly retries: number
  /** The first wait and the longest one. A `Retry-After` up to `max` is waited for. */
  readonly initial: number
  readonly max: number
  /** A body up to this size is kept until the answer begins, so that it can be sent again. */
  readonly bodyLimit: number
  /** Retries may add this share to the calls of the last ten seconds, 0 to 1, … */
  readonly budget: number
  /** … and always this many in a second. */
  readonly budgetFloor: number
}

interface HedgeSettings {
  /** Milliseconds, or the 95th percentile of the first-byte times measured lately. */
  readonly after: number | 'p95'
  /** The share of calls that may be hedged, 0 to 1. */
  readonly budget: number
}

export type AuthMode = 'required' | 'optional' | 'none'

export interface RouteSettings {
  readonly match: string
  /** In order of failover; all of one protocol. */
  readonly upstreams: readonly string[]
  readonly auth: AuthMode
  readonly stripPrefix: string
  readonly validate:
    | {
        readonly schema?: object
        readonly required?: readonly string[]
        readonly contentType?: readonly string[]
      }
    | undefined
  /** How much of a stream is kept back so that it could begin anew elsewhere: a number of events. */
  readonly holdBack: 'off' | 'full' | number
}

export interface KeySettings {
  readonly id: string
  readonly tier: string | undefined
  readonly secret: { readonly plain: Secret } | { readonly sha256: string }
}
