import type { HttpClientOptions } from './options.ts'
import { endpointUrl, integer, number, type Rule } from './setting-rules.ts'
import { ClientSettingsError, type SettingsIssue } from './settings-issue.ts'

/** Where a process runs. */
export type ClientProfile = 'development' | 'test' | 'staging' | 'production'

/** What a profile sets unless the environment says otherwise. */
interface ProfileDefaults {
  readonly connectSeconds: number
  readonly readSeconds: number
  readonly connections: number
  readonly retries: number
}

/** A call begun again after its reading took too long needs the time for it. */
const LEAST_TOTAL_SECONDS = 60

const near: ProfileDefaults = { connectSeconds: 5, readSeconds: 30, connections: 20, retries: 2 }
const far: ProfileDefaults = { connectSeconds: 10, readSeconds: 60, connections: 100, retries: 3 }
const profiles: Readonly<Record<ClientProfile, ProfileDefaults>> = {
  development: near,
  test: near,
  staging: far,
  production: far,
}

/**
 * A client's options from the environment, for the profile:
 *
 * | Variable                                    | Sets                   | development, test | staging, production |
 * | ------------------------------------------- | ---------------------- | ----------------- | ------------------- |
 * | `BACKEND_SERVICE_URL`                       | where calls go         | `http://localhost:8084` | the same      |
 * | `BACKEND_API_KEY`                           | `authorization: Bearer`| none              | none                |
 * | `BACKEND_TIMEOUT_CONNECT`                   | seconds to connect     | 5                 | 10                  |
 * | `BACKEND_TIMEOUT_READ`                      | seconds of silence     | 30                | 60                  |
 * | `BACKEND_MAX_CONNECTIONS`                   | connections            | 20                | 100                 |
 * | `BACKEND_MAX_RETRIES`                       | extra tries            | 2                 | 3                   |
 * | `BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD` | failures that open it  | 5                 | 5                   |
 *
 * Reading counts to the first byte and between bytes; a whole call has twice that time, at least 60 s. An
 * empty variable is an absent one. The key is kept so that it can't be printed.
 *
 * @throws ClientSettingsError with everything that is wrong; it quotes no value.
 */
export function clientSettingsFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  { profile }: { readonly profile: ClientProfile },
): HttpClientOptions {
  if (!Object.hasOwn(profiles, profile)) {
    const message = `must be ${Object.keys(profiles).join(', ')}`
    throw new ClientSettingsError([{ path: 'profile', message }])
  }
  const defaults = profiles[profile]
  const issues: SettingsIssue[] = []
  const read = (name: string, fallback: number, rule: Rule): number => {
    const text = textOf(env[name])
    const value = text === undefined ? fallback : numberOf(text)
    issues.push(...rule(value, name))
    return value ?? fallback
  }

  const baseUrls = textOf(env.BACKEND_SERVICE_URL) ?? 'http://localhost:8084'
  issues.push(...endpointUrl(baseUrls, 'BACKEND_SERVICE_URL'))
  const key = textOf(env.BACKEND_API_KEY)
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    issues.push({ path: 'BACKEND_API_KEY', message: 'must be printable ASCII without spaces' })
  }
  const connect = read('BACKEND_TIMEOUT_CONNECT', defaults.connectSeconds, seconds)
  const silence = read('BACKEND_TIMEOUT_READ', defaults.readSeconds, seconds)
  const connections = read('BACKEND_MAX_CONNECTIONS', defaults.connections, integer(1))
  const retries = read('BACKEND_MAX_RETRIES', defaults.retries, integer(0))
  const failures = read('BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD', 5, integer(1))
  if (issues.length > 0) throw new ClientSettingsError(issues)

  const total = Math.max(LEAST_TOTAL_SECONDS, 2 * silence, connect + silence)
  return {
    baseUrls,
    ...(key === undefined ? {} : { auth: { bearer: { reveal: () => key } } }),
    timeouts: {
      connectMs: Math.round(connect * 1000),
      firstByteMs: Math.round(silence * 1000),
      idleMs: Math.round(silence * 1000),
      totalMs: Math.round(total * 1000),
    },
    connections,
    retry: { retries },
    breaker: { failures, openForMs: 30_000 },
  }
}

/** Longer is surely a mistake of units, such as milliseconds. */
const seconds: Rule = number(0.001, 86_400, ' of seconds')

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim()
  return text === '' ? undefined : text
}

/** Decimal digits only: `Number` would take `1e3`, `0x10` and much else. */
function numberOf(text: string): number | undefined {
  return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined
}
