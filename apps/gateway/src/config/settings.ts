import type { Secret } from '@tidegate/config'
import type { Rule } from '@tidegate/rate-limit'
import type { RedisOptions } from '@tidegate/redis'
import type { AuthSettings } from './auth-settings.ts'
import type { HealthSettings } from './health-settings.ts'
import type { TracingSettings } from './tracing-settings.ts'

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
  /** Absent: memory, and what is shared elsewhere is per process here. */
  readonly redis: RedisSettings | undefined
  readonly upstreams: readonly UpstreamSettings[]
  readonly routes: readonly RouteSettings[]
  readonly limits: readonly LimitSettings[]
  readonly tiers: readonly TierSettings[]
  readonly keys: readonly KeySettings[]
  /** Absent: off. */
  readonly sessions: SessionSettings | undefined
  readonly auth: AuthSettings
  readonly cache: CacheSettings
  readonly telemetry: TelemetrySettings
  readonly health: HealthSettings
  /** `DEBUG`: in development, what is kept may be thrown away from this machine without a key. */
  readonly debug: boolean
}

export interface RedisSettings {
  readonly options: RedisOptions
  /** What all keys begin with. */
  readonly prefix: string
}

export interface LimitSettings {
  readonly name: string
  /** Who shares it. */
  readonly by: 'ip' | 'key' | 'user'
  readonly rule: Rule
}

/** What each caller of a tier may use; absent: no limit. */
export interface TierSettings {
  readonly name: string
  readonly requests: Rule | undefined
  readonly tokens: Rule | undefined
  readonly concurrent: Rule | undefined
}

/** What one user may have open. */
export interface SessionSettings {
  readonly max: number
  readonly ttl: number
}

/** Where answers are kept, for all routes together. */
export interface CacheSettings {
  readonly entries: number
  readonly memory: number
  readonly maxAnswer: number
  readonly warm: {
    readonly atStart: boolean
    /** Absent: off. */
    readonly every: number | undefined
    readonly entries: number
    readonly budget: { readonly amount: number; readonly windowMs: number }
  }
}

/** What the gateway tells of itself. */
export interface TelemetrySettings {
  readonly metrics: boolean
  /** How many models are told apart. */
  readonly models: number
  /** How many callers are. Absent: none. */
  readonly topKeys: number | undefined
  /** By the name of the model, US dollars for a million tokens. */
  readonly prices: ReadonlyMap<string, ModelPrice>
  /** Absent: there is no collector, and no traces are made. */
  readonly tracing: TracingSettings | undefined
  /** Absent: off, as it is without metrics. */
  readonly history: HistorySettings | undefined
  /** Absent: off, as they are without a history. */
  readonly anomalies: AnomalySettings | undefined
}

/** How long, in milliseconds, it is kept what metrics were. */
export interface HistorySettings {
  readonly seconds: number
  readonly minutes: number
  /** How many metrics besides the gateway's own. */
  readonly metrics: number
}

/** What is told of what is unusual. */
export interface AnomalySettings {
  readonly threshold: number
  readonly webhook?: WebhookSettings | undefined
}

/** Where events are posted to, by Standard Webhooks. */
export interface WebhookSettings {
  readonly url: string
  /** `whsec_` and base64. */
  readonly secret: Secret
  readonly allowPrivate: boolean
}

export interface ModelPrice {
  readonly input: number
  readonly output: number
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
  /** What one address may ask of this process. Absent: off. */
  readonly guard: BucketSettings | undefined
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

/** So many per window, and so many at once after a pause. */
export interface BucketSettings {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
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
  /** Names of limits, and `tier` for those of the caller's tier. */
  readonly limits: readonly string[]
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
  /** Absent: off. */
  readonly cache: RouteCacheSettings | undefined
  /** Absent: off. */
  readonly coalesce: CoalesceSettings | undefined
  /** For how long an answer is replayed by its `Idempotency-Key`. Absent: off. */
  readonly idempotency: number | undefined
  /** What an answer that was made for another request costs in tokens: a share, 0 to 1, of what it cost that. */
  readonly hitCost: number
}

/** Who gets an answer again, or shares one that is under way. */
export type Scope = 'key' | 'user' | 'public'

/** Which answers of a route are kept and served again. */
export interface RouteCacheSettings {
  readonly ttl: number
  /** After `ttl`: served while a new one is fetched behind it, … */
  readonly stale: number
  /** … and served for want of a better; at least as long as `stale`. */
  readonly staleOnError: number
  readonly scope: Scope
  /** Names of headers in lower case. */
  readonly vary: readonly string[]
  /** On protocol `http`. */
  readonly methods: readonly ('GET' | 'POST')[]
}

export interface CoalesceSettings {
  readonly scope: Scope
  readonly cluster: boolean
}

export interface KeySettings {
  readonly id: string
  readonly tier: string | undefined
  readonly secret: { readonly plain: Secret } | { readonly sha256: string }
}
