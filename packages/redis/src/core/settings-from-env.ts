import { readFileSync } from 'node:fs'
import { type RedisSettingIssue, RedisSettingsError } from './errors.ts'
import type { RedisOptions, RedisTls } from './options.ts'
import { conceal } from './secret.ts'
import { parseRedisUrl } from './url.ts'

type Complain = (setting: string, message: string) => undefined

/**
 * Options from `REDIS_URL`, `REDIS_PASSWORD`, `REDIS_USE_SSL`, `REDIS_CA_CERT_PATH`, `REDIS_TIMEOUT`
 * (a plain number counts seconds; also `500ms`, `5s`, `1m`) and `REDIS_MAX_CONNECTIONS`. Empty means unset.
 *
 * @returns `undefined` when there is no `REDIS_URL`: no Redis is wanted
 * @throws {RedisSettingsError} with everything that is wrong
 */
export function redisSettingsFromEnv(
  env: Readonly<Record<string, string | undefined>>,
): RedisOptions | undefined {
  const issues: RedisSettingIssue[] = []
  const complain: Complain = (setting, message) => {
    issues.push({ setting, message })
    return undefined
  }
  const read = <T>(name: string, parse: (text: string) => T | string): T | undefined => {
    const text = env[name]?.trim()
    if (!text) return undefined
    const value = parse(text)
    return typeof value === 'string' ? complain(name, value) : value
  }
  const url = read('REDIS_URL', (text) => {
    const parsed = parseRedisUrl(text)
    return typeof parsed === 'string' ? parsed : { text: conceal(text), ...parsed }
  })
  const timeoutMs = read('REDIS_TIMEOUT', parseDuration)
  const maxConnections = read('REDIS_MAX_CONNECTIONS', parseCount)
  const useTls = read('REDIS_USE_SSL', parseSwitch)
  const authority = read('REDIS_CA_CERT_PATH', readAuthority)
  if (authority !== undefined && url && !url.tls && useTls !== true) {
    const message = 'is of no use without TLS; set REDIS_USE_SSL=true or write rediss://'
    complain('REDIS_CA_CERT_PATH', message)
  }
  if (url?.tls && useTls === false)
    complain('REDIS_USE_SSL', 'is false but REDIS_URL says rediss://')
  if (issues.length > 0) throw new RedisSettingsError(issues)
  if (url === undefined) return undefined
  const tls: RedisTls | true | undefined = authority ?? (useTls || url.tls ? true : undefined)
  const { REDIS_PASSWORD: password } = env
  return {
    url: url.text,
    ...(password && url.password === undefined ? { password: conceal(password) } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(timeoutMs === undefined
      ? {}
      : { connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, '': 1_000 }

function parseDuration(text: string): number | string {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|)$/.exec(text) ?? []
  const ms = Math.round(Number(digits) * (unitsMs[unit] ?? 0))
  if (digits !== '' && ms >= 1 && ms <= 2_147_483_647) return ms
  return 'has to be a duration above zero: 5 or 5s, 500ms, 1m'
}

function parseCount(text: string): number | string {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= 10_000 ? count : 'has to be a whole number from 1 to 10000'
}

function parseSwitch(text: string): boolean | string {
  if (/^(true|1|yes|on)$/i.test(text)) return true
  if (/^(false|0|no|off)$/i.test(text)) return false
  return 'has to be true or false'
}

function readAuthority(path: string): RedisTls | string {
  try {
    const ca = readFileSync(path, 'utf8')
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return { ca }
    return 'names a file that holds no certificate in PEM form'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    return `names a file that can't be read${code}`
  }
}
