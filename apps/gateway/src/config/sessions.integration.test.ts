import { describe, expect, it } from 'vitest'
import {
  check,
  checkEnvironment,
  file,
  problemsOf,
  settingsOf,
  warningsOf,
} from './check.fixture.ts'

describe('sessions', () => {
  it('are off unless something is said of them', async () => {
    expect(settingsOf(await check(file())).sessions).toBeUndefined()
    expect(settingsOf(await checkEnvironment({})).sessions).toBeUndefined()
    expect(
      settingsOf(await checkEnvironment({ MAX_CONCURRENT_SESSIONS: '' })).sessions,
    ).toBeUndefined()
  })

  it('are five for an hour unless the file says otherwise', async () => {
    const of = async (top: string) => settingsOf(await check(file({ top }))).sessions
    expect(await of('sessions: {}')).toEqual({ max: 5, ttl: 3_600_000 })
    expect(await of('sessions: { max: 2, ttl: 30m }')).toEqual({ max: 2, ttl: 1_800_000 })
  })

  it('are turned on by the variable, with and without a file', async () => {
    const env = { MAX_CONCURRENT_SESSIONS: '3' }
    expect(settingsOf(await checkEnvironment(env)).sessions).toEqual({ max: 3, ttl: 3_600_000 })
    const top = 'sessions: { max: 7, ttl: 10m }'
    expect(settingsOf(await check(file({ top }), env)).sessions).toEqual({ max: 3, ttl: 600_000 })
    expect(settingsOf(await check(file(), env)).sessions).toEqual({ max: 3, ttl: 3_600_000 })
  })

  it('are refused in numbers that mean nothing', async () => {
    const problems = async (top: string) => problemsOf(await check(file({ top })))
    expect(await problems('sessions: { max: 0 }')).toHaveLength(1)
    expect(await problems('sessions: { ttl: 10ms }')).toHaveLength(1)
    expect(await problems('sessions: { tll: 1h }')).toEqual([expect.stringContaining('"ttl"')])
    expect(problemsOf(await checkEnvironment({ MAX_CONCURRENT_SESSIONS: 'many' }))).toEqual([
      expect.stringMatching(/^MAX_CONCURRENT_SESSIONS: /),
    ])
  })

  it('say which route they take the place of', async () => {
    const warnings = async (top: string, match: string) =>
      warningsOf(await check(file({ top }).replace('/v1/**', match)))
    const own = '/api/v1/sessions/**'
    expect(await warnings('sessions: {}', own)).toEqual([
      expect.stringContaining('the gateway answers /api/v1/sessions'),
    ])
    expect(await warnings('sessions: {}', '/api/**')).toEqual([])
    expect(await warnings('', own)).toEqual([])
  })
})
