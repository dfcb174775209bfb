import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  checkEnvironment,
  type Env,
  folder,
  problemsOf,
  settingsOf,
  warningsOf,
} from './check.fixture.ts'
import { checkSettings } from './load.ts'
import type { Settings } from './settings.ts'

describe('the environment alone', () => {
  const load = async (env: Env): Promise<Settings> => settingsOf(await checkEnvironment(env))
  const routesOf = ({ routes }: Settings): string[] =>
    routes.map(({ match, upstreams }) => `${match} ${upstreams.join()}`)

  it('serves the demo model when it names no provider', async () => {
    const settings = await load({})
    expect(routesOf(settings)).toEqual(['/v1/** demo'])
    expect(settings.upstreams).toMatchObject([{ name: 'demo', protocol: 'openai', demo: true }])
    expect(settings.configFile).toBeUndefined()
  })

  it('serves OpenAI with its key', async () => {
    const settings = await load({ OPENAI_API_KEY: 'sk-x' })
    expect(routesOf(settings)).toEqual(['/v1/** openai'])
    expect(settings.upstreams[0]?.demo).toBe(false)
    expect(settings.upstreams[0]?.endpoints[0]?.url.href).toBe('https://api.openai.com/v1')
    expect(settings.upstreams[0]?.endpoints[0]?.apiKey?.reveal()).toBe('sk-x')
  })

  it('lists Anthropic before OpenAI, whose route is broader', async () => {
    const settings = await load({ OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' })
    expect(routesOf(settings)).toEqual([
      '/v1/messages anthropic',
      '/v1/messages/** anthropic',
      '/v1/** openai',
    ])
  })

  it('serves a backend beside the demo, and base addresses without a key', async () => {
    const settings = await load({
      BACKEND_SERVICE_URL: 'http://localhost:8084',
      BACKEND_API_KEY: 'k',
    })
    expect(routesOf(settings)).toEqual(['/v1/** demo', '/companion/** companion'])
    expect(settings.routes[1]).toMatchObject({ stripPrefix: '/companion', auth: 'none' })
    const local = await load({ OPENAI_BASE_URL: 'http://localhost:11434/v1' })
    expect(routesOf(local)).toEqual(['/v1/** openai'])
    expect(local.upstreams[0]?.endpoints[0]?.apiKey).toBeUndefined()
  })

  it('calls the backend as its own client would', async () => {
    const { upstreams } = await load({ BACKEND_SERVICE_URL: 'http://localhost:8084' })
    expect(upstreams[1]).toMatchObject({
      timeouts: { connect: 10_000, firstByte: 30_000, idle: 30_000, total: 600_000 },
      retry: { retries: 3, initial: 200, max: 5000 },
      breaker: { failures: 5, openFor: 30_000 },
      concurrency: { max: 100, queue: 1024 },
      hedge: undefined,
    })
  })

  it('calls the backend as its variables say, in seconds or with a unit', async () => {
    const { upstreams } = await load({
      BACKEND_SERVICE_URL: 'http://localhost:8084',
      BACKEND_TIMEOUT_CONNECT: '0.5',
      BACKEND_TIMEOUT_READ: '15m',
      BACKEND_MAX_CONNECTIONS: '20',
      BACKEND_MAX_RETRIES: '0',
      BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '9',
    })
    const minutes = 15 * 60_000
    expect(upstreams[1]).toMatchObject({
      timeouts: { connect: 500, firstByte: minutes, idle: minutes, total: minutes },
      retry: { retries: 0 },
      breaker: { failures: 9 },
      concurrency: { max: 20 },
    })
  })

  it('says which variable of the backend is wrong, or set in vain', async () => {
    const wrong = {
      BACKEND_SERVICE_URL: 'http://localhost:8084',
      BACKEND_TIMEOUT_READ: 'soon',
      BACKEND_MAX_CONNECTIONS: '0',
      BACKEND_MAX_RETRIES: '9',
    }
    const checked = await checkEnvironment(wrong)
    expect(problemsOf(checked).join('\n')).toMatchInlineSnapshot(`
      "BACKEND_TIMEOUT_READ: expected a duration such as 30s of at least 1ms and at most 1d, got "soon"
      BACKEND_MAX_CONNECTIONS: expected a whole number from 1 to 1000000, got "0"
      BACKEND_MAX_RETRIES: expected a whole number from 0 to 5, got "9""
    `)
    expect(warningsOf(checked)).toEqual([])
    const vain = { BACKEND_MAX_RETRIES: '3', BACKEND_TIMEOUT_READ: '30', BACKEND_API_KEY: 'k' }
    expect(warningsOf(await checkEnvironment(vain))).toMatchInlineSnapshot(`
      [
        "BACKEND_API_KEY: set, but has no effect without BACKEND_SERVICE_URL",
        "BACKEND_TIMEOUT_READ: set, but has no effect without BACKEND_SERVICE_URL",
        "BACKEND_MAX_RETRIES: set, but has no effect without BACKEND_SERVICE_URL",
      ]
    `)
  })

  it('refuses to lend a key to everybody, and names the variable', async () => {
    const checked = await checkEnvironment({ OPENAI_API_KEY: 'sk-x', HOST: '0.0.0.0' })
    expect(problemsOf(checked)).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY: the gateway listens on 0\.0\.0\.0/),
    ])
    expect((await load({ HOST: '0.0.0.0' })).upstreams[0]?.demo).toBe(true)
  })

  it('reports every variable that is wrong by its name', async () => {
    const env = { OPENAI_API_KEY: ' k', OPENAI_BASE_URL: 'x', PORT: 'abc', ENVIRONMENT: 'prod' }
    const problems = problemsOf(await checkEnvironment(env)).join('\n')
    expect(problems).toMatchInlineSnapshot(`
      "ENVIRONMENT: unknown profile "prod": expected development, test, staging or production (did you mean "production"?)
      OPENAI_API_KEY: must not begin or end with white space
      OPENAI_BASE_URL: expected an address such as https://api.example.com/v1
      PORT: server.port: expected a port from 0 to 65535, got "abc""
    `)
  })

  it('warns of what is set without effect', async () => {
    const env = { DATABASE_URL: 'postgres://x', REDIS_PASSWORD: 'x', OPENAI_API_KYE: 'x' }
    expect(warningsOf(await checkEnvironment(env))).toMatchInlineSnapshot(`
      [
        "DATABASE_URL: set, but what it configures is not built yet: no effect",
        "OPENAI_API_KYE: nothing reads the variable OPENAI_API_KYE (did you mean "OPENAI_API_KEY"?)",
        "REDIS_PASSWORD: redis.password: set, but has no effect without a Redis; name one under redis.url (REDIS_URL)",
      ]
    `)
  })

  it('is read from .env below the real environment', async () => {
    writeFileSync(join(folder, '.env'), 'PORT=9001\nHOST=::1\nOPENAI_API_KEY=\n')
    const settings = settingsOf(await checkSettings({ env: { PORT: '9002' }, cwd: folder }))
    rmSync(join(folder, '.env'))
    expect(settings.server).toMatchObject({ port: 9002, host: '::1' })
    expect(settings.upstreams[0]?.demo).toBe(true)
  })

  it('takes a secret from the file that NAME_FILE names', async () => {
    writeFileSync(join(folder, 'key'), 'sk-from-a-file\n')
    const settings = settingsOf(await checkEnvironment({ OPENAI_API_KEY_FILE: 'key' }))
    expect(settings.upstreams[0]?.endpoints[0]?.apiKey?.reveal()).toBe('sk-from-a-file')
  })
})
