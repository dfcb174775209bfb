import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { RedisSettingsError } from './errors.ts'
import { reveal } from './secret.ts'
import { redisSettingsFromEnv } from './settings-from-env.ts'

function issuesOf(env: Record<string, string>): readonly string[] {
  try {
    redisSettingsFromEnv(env)
  } catch (error) {
    if (error instanceof RedisSettingsError) return error.issues.map(({ setting }) => setting)
    throw error
  }
  return []
}

describe('redisSettingsFromEnv', () => {
  it('wants no Redis without a URL, also when it is empty', () => {
    expect(redisSettingsFromEnv({})).toBeUndefined()
    expect(redisSettingsFromEnv({ REDIS_URL: ' ', REDIS_TIMEOUT: '3' })).toBeUndefined()
  })

  it.each([
    ['5', 5_000],
    ['0.25', 250],
    ['500ms', 500],
    ['2s', 2_000],
    ['1m', 60_000],
  ])('reads the timeout %s', (text, ms) => {
    expect(redisSettingsFromEnv({ REDIS_URL: 'redis://h', REDIS_TIMEOUT: text })).toMatchObject({
      connectTimeoutMs: ms,
      commandTimeoutMs: ms,
    })
  })

  it('takes the password where the URL holds none, and shows neither', () => {
    const own = redisSettingsFromEnv({ REDIS_URL: 'redis://h', REDIS_PASSWORD: 's3cret' })
    expect(reveal(own?.password ?? '')).toBe('s3cret')
    const inUrl = { REDIS_URL: 'redis://:t0p@h', REDIS_PASSWORD: 's3cret' }
    const url = redisSettingsFromEnv(inUrl)
    expect(url).not.toHaveProperty('password')
    for (const settings of [own, url]) {
      const shown = `${inspect(settings, { depth: 9 })}${JSON.stringify(settings)}`
      expect(shown).not.toMatch(/s3cret|t0p/)
    }
  })

  it.each([
    ['rediss://h', undefined, true],
    ['redis://h', 'true', true],
    ['redis://h', 'off', undefined],
    ['redis://h', '', undefined],
  ])('speaks TLS with %s and REDIS_USE_SSL=%s', (url, useSsl, tls) => {
    expect(redisSettingsFromEnv({ REDIS_URL: url, REDIS_USE_SSL: useSsl })?.tls).toBe(tls)
  })

  it('tells everything that is wrong at once, without a secret', () => {
    const env = {
      REDIS_URL: 'http://:t0p@h',
      REDIS_TIMEOUT: '0',
      REDIS_MAX_CONNECTIONS: '1.5',
      REDIS_USE_SSL: 'maybe',
      REDIS_CA_CERT_PATH: '/no/such/file.pem',
    }
    expect(issuesOf(env)).toEqual([
      'REDIS_URL',
      'REDIS_TIMEOUT',
      'REDIS_MAX_CONNECTIONS',
      'REDIS_USE_SSL',
      'REDIS_CA_CERT_PATH',
    ])
    expect(() => redisSettingsFromEnv(env)).toThrow(/^(?!.*t0p)[\s\S]*ENOENT/)
    expect(issuesOf({ REDIS_URL: 'rediss://h', REDIS_USE_SSL: 'no' })).toEqual(['REDIS_USE_SSL'])
  })
})
