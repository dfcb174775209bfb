import { resolve } from 'node:path'
import {
  checkConfig,
  type Profile,
  type Report,
  type Secret,
  type Variables,
} from '@tidegate/config'
import { type Config, definition } from './definition.ts'

/** What the companion runs by. Times are milliseconds. */
export interface Settings {
  readonly profile: Profile
  readonly logLevel: Config['monitoring']['logLevel']
  readonly server: {
    readonly host: string
    readonly port: number
    readonly trustedProxies: readonly string[]
    readonly requestTimeoutMs: number
    readonly drain: { readonly delayMs: number; readonly timeoutMs: number }
  }
  readonly database: {
    /** Absent: the embedded one. */
    readonly url: Secret | undefined
    readonly poolSize: number
    readonly connectTimeoutMs: number
    readonly statementTimeoutMs: number
    readonly slowMs: number
  }
  /** The folder of everything that is kept outside of a PostgreSQL. Absolute. */
  readonly directory: string
  readonly secrets: {
    /** Absent: one is made and kept in the folder, except in production. */
    readonly current: Secret | undefined
    readonly previous: Secret | undefined
  }
  /** A key that may do everything in the tenant `default`, besides those of the database. */
  readonly adminKey: Secret | undefined
  readonly keys: { readonly overlapMs: number; readonly maxPerTenant: number }
}

/** What reading the environment gave. */
export interface CheckedSettings {
  /** Undefined when there is a problem. */
  readonly settings: Settings | undefined
  readonly report: Report
}

/** Reads the environment (and `.env`) and answers with everything that is wrong with it. */
export function checkSettings(from: {
  readonly env: Variables
  readonly cwd: string
}): CheckedSettings {
  const checked = checkConfig(definition, from)
  const { report } = checked
  if (!checked.ok) return { settings: undefined, report }
  return { settings: compile(checked.config, checked.profile, from.cwd), report }
}

function compile(config: Config, profile: Profile, cwd: string): Settings {
  const { server, database, storage, security, monitoring, keys } = config
  return {
    profile,
    logLevel: monitoring.debug ? 'debug' : monitoring.logLevel,
    server: {
      host: server.host,
      port: server.port,
      trustedProxies: server.trustedProxies,
      requestTimeoutMs: server.requestTimeout,
      drain: { delayMs: server.drainDelay, timeoutMs: server.drainTimeout },
    },
    database: {
      url: database.url,
      poolSize: database.pool,
      connectTimeoutMs: database.connectTimeout,
      statementTimeoutMs: database.statementTimeout,
      slowMs: storage.slowQuery,
    },
    directory: resolve(cwd, storage.directory),
    secrets: {
      current: security.encryptionSecret,
      previous: security.encryptionSecretPrevious,
    },
    adminKey: security.adminKey,
    keys: { overlapMs: keys.rotationOverlap, maxPerTenant: keys.maxPerTenant },
  }
}
