import { describe, expect, it } from 'vitest'
import { checkClientSettings } from './check-settings.ts'
import { clientSettingsFromEnv } from './settings.ts'
import { ClientSettingsError } from './settings-issue.ts'

function issuesOf(env: Record<string, string>): readonly string[] {
  try {
    clientSettingsFromEnv(env, { profile: 'production' })
    return []
  } catch (error) {
    if (!(error instanceof ClientSettingsError)) throw error
    expect(error.message).not.toContain('secret')
    return error.issues.map(({ path }) => path)
  }
}

describe('clientSettingsFromEnv', () => {
  it('has a default for everything, by profile', () => {
    const near = {
      baseUrls: 'http://localhost:8084',
      timeouts: { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 60_000 },
      connections: 20,
      retry: { retries: 2 },
      breaker: { failures: 5, openForMs: 30_000 },
    }
    const far = {
      ...near,
      timeouts: { connectMs: 10_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 120_000 },
      connections: 100,
      retry: { retries: 3 },
    }
    expect(clientSettingsFromEnv({}, { profile: 'development' })).toEqual(near)
    expect(clientSettingsFromEnv({}, { profile: 'test' })).toEqual(near)
    expect(clientSettingsFromEnv({}, { profile: 'staging' })).toEqual(far)
    expect(clientSettingsFromEnv({}, { profile: 'production' })).toEqual(far)
  })

  it('takes each variable, in seconds where it is a time', () => {
    const env = {
      BACKEND_SERVICE_URL: ' https://api.example/v1 ',
      BACKEND_TIMEOUT_CONNECT: '0.25',
      BACKEND_TIMEOUT_READ: '300',
      BACKEND_MAX_CONNECTIONS: '7',
      BACKEND_MAX_RETRIES: '0',
      BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '9',
    }
    const options = clientSettingsFromEnv(env, { profile: 'development' })
    expect(options).toEqual({
      baseUrls: 'https://api.example/v1',
      timeouts: { connectMs: 250, firstByteMs: 300_000, idleMs: 300_000, totalMs: 600_000 },
      connections: 7,
      retry: { retries: 0 },
      breaker: { failures: 9, openForMs: 30_000 },
    })
    expect(checkClientSettings(options)).toEqual([])
  })

  it('takes an empty variable for an absent one', () => {
    const env = { BACKEND_SERVICE_URL: '', BACKEND_API_KEY: ' ', BACKEND_MAX_RETRIES: '' }
    const profile = { profile: 'production' } as const
    expect(clientSettingsFromEnv(env, profile)).toEqual(clientSettingsFromEnv({}, profile))
  })

  it('keeps the key so that it is not printed', () => {
    const options = clientSettingsFromEnv({ BACKEND_API_KEY: 'a-key' }, { profile: 'test' })
    expect(JSON.stringify(options)).not.toContain('a-key')
    expect(options.auth).toMatchObject({ bearer: { reveal: expect.any(Function) } })
    expect(checkClientSettings(options)).toEqual([])
  })

  it('tells everything that is wrong at once, and quotes nothing', () => {
    const env = {
      BACKEND_SERVICE_URL: 'https://user:secret@host',
      BACKEND_API_KEY: 'two secret words',
      BACKEND_TIMEOUT_CONNECT: 'secret',
      BACKEND_TIMEOUT_READ: '0',
      BACKEND_MAX_CONNECTIONS: '1.5',
      BACKEND_MAX_RETRIES: '-1',
      BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '0',
    }
    expect(issuesOf(env)).toEqual(Object.keys(env))
  })

  it.each(['1e3', '0x10', 'Infinity', 'NaN', '5s', '1_000', '30000000'])(
    'refuses %s seconds',
    (text) => {
      expect(issuesOf({ BACKEND_TIMEOUT_READ: text })).toEqual(['BACKEND_TIMEOUT_READ'])
    },
  )

  it('refuses a profile that does not exist', () => {
    const profile = 'toString' as 'test'
    expect(() => clientSettingsFromEnv({}, { profile })).toThrow(/profile: must be development/)
  })
})
