import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  check,
  checkEnvironment,
  file,
  problemsOf,
  settingsOf,
  warningsOf,
} from './check.fixture.ts'

describe('exposure', () => {
  const lent = file({ top: 'server: { host: 0.0.0.0 }' }).replace(
    'api.openai.com/v1"',
    'api.openai.com/v1", apiKey: CANARY',
  )

  it.each(['0.0.0.0', '::', '192.168.1.5', 'gateway.internal'])(
    'of a credential on %s refuses to start',
    async (host) => {
      const problems = problemsOf(await check(lent, { HOST: host }))
      expect(problems).toEqual([expect.stringContaining('would let anyone spend the apiKey')])
      expect(problems[0]).not.toContain('CANARY')
    },
  )

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('on %s is none', async (host) => {
    settingsOf(await check(lent, { HOST: host }))
  })

  it('is allowed by the route itself, or by keys', async () => {
    settingsOf(await check(`${lent}    auth: none\n`))
    const keys = 'auth: { keys: [{ id: a, key: k }] }'
    expect(settingsOf(await check(lent + keys)).routes[0]?.auth).toBe('required')
  })

  it('is refused for auth: optional, which lets everybody pass', async () => {
    const keys = '    auth: optional\nauth: { keys: [{ id: a, key: k }] }\n'
    expect(problemsOf(await check(lent + keys))).toHaveLength(1)
  })

  it('is not confused by names that every object has', async () => {
    const yaml = lent.replace('upstreams: [openai]', 'upstreams: [constructor]')
    expect(problemsOf(await check(yaml))).toEqual([
      expect.stringContaining('there is no upstream "constructor"'),
    ])
  })

  it('does not matter without a credential', async () => {
    settingsOf(await check(file({ top: 'server: { host: 0.0.0.0 }' })))
  })

  it('in production knows no "*" and warns of short keys', async () => {
    const yaml = file({ top: 'auth: { keys: [{ id: a, key: short }] }' })
    const checked = await check(yaml, { ENVIRONMENT: 'production', CORS_ORIGINS: '*' })
    expect(problemsOf(checked)).toEqual([expect.stringContaining('production takes no "*"')])
    expect(warningsOf(checked)).toEqual([expect.stringContaining('shorter than 16')])
    expect(warningsOf(await check(yaml))).toEqual([])
  })
})

describe('secrets', () => {
  it('never stand in a report or in what settings print', async () => {
    const env = {
      OPENAI_API_KEY: 'CANARY-1\u0007',
      ANTHROPIC_API_KEY: 'CANARY-2',
      ANTHROPIC_BASE_URL: 'https://user:CANARY-3@x',
      ADMIN_KEY: ' CANARY-4',
      REDIS_URL: 'redis://:CANARY-5@x',
      BACKEND_SERVICE_URL: 'CANARY-6',
    }
    const { report } = await checkEnvironment(env)
    expect(report.problems).toHaveLength(4)
    expect(report.toText() + JSON.stringify(report) + inspect(report)).not.toContain('CANARY')
    const fine = await checkEnvironment({ OPENAI_API_KEY: 'CANARY', ADMIN_KEY: 'CANARY' })
    expect(inspect(fine, { depth: 20 }) + JSON.stringify(fine)).not.toContain('CANARY')
  })
})
