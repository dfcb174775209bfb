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
  readonly endpoint: { readonly url: URL; readonly apiKey: Secret | undefined }
  readonly timeouts: {
    readonly connect: number
    readonly firstByte: number
    readonly idle: number
    readonly total: number
  }
  /** Set on the built-in demo model, so that start-up and health can say what it is. */
  readonly demo: boolean
}

export type AuthMode = 'required' | 'optional' | 'none'

export interface RouteSettings {
  readonly match: string
  readonly upstream: string
  readonly auth: AuthMode
  readonly stripPrefix: string
  readonly validate:
    | {
        readonly schema?: object
        readonly required?: readonly string[]
        readonly contentType?: readonly string[]
      }
    | undefined
}

export interface KeySettings {
  readonly id: string
  readonly tier: string | undefined
  readonly secret: { readonly plain: Secret } | { readonly sha256: string }
}
