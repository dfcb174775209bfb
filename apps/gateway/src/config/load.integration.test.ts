import { join } from 'node:path'
import { makeCertificates } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { check, file, folder, settingsOf, warningsOf } from './check.fixture.ts'

const nothingShared = { cache: undefined, coalesce: undefined, idempotency: undefined, hitCost: 0 }

describe('a file', () => {
  it('gets the documented defaults', async () => {
    const settings = settingsOf(await check(file()))
    expect(settings).toMatchObject({
      configFile: 'tidegate.yaml',
      profile: 'development',
      logLevel: 'info',
      server: {
        host: '127.0.0.1',
        port: 8000,
        trustedProxies: [],
        bodyLimit: 10_485_760,
        keepAlive: 65_000,
        maxConnections: 10_000,
        compression: true,
        cors: { origins: [] },
        drain: { delay: 0, timeout: 30_000 },
        timeouts: { headers: 15_000, body: 30_000, write: 60_000 },
        tls: undefined,
      },
      admin: { key: undefined },
      upstreams: [
        {
          name: 'openai',
          protocol: 'openai',
          timeouts: { connect: 2000, firstByte: 60_000, idle: 60_000, total: 600_000 },
          demo: false,
        },
      ],
      routes: [
        {
          match: '/v1/**',
          upstreams: ['openai'],
          auth: 'none',
          stripPrefix: '',
          holdBack: 'off',
          ...nothingShared,
        },
      ],
      keys: [],
    })
    expect(settings.upstreams[0]?.endpoints[0]?.url.href).toBe('https://api.openai.com/v1')
  })

  it('may say everything that is built, also that the rest is off', async () => {
    const yaml = `version: 1
server:
  host: 0.0.0.0
  port: 9000
  workers: 1
  trustedProxies: [10.0.0.0/8, "::1"]
  bodyLimit: 1mb
  keepAlive: 30s
  maxConnections: 50
  compression: false
  cors: { origins: ["http://localhost:3000"] }
  drain: { delay: 5s, timeout: 1m }
  timeouts: { headers: 5s, body: 6s, write: 7s }
admin: { key: "\${ADMIN_KEY:-}" }
logging: { level: warn }
redis: { url: "\${REDIS_URL:-}" }
upstreams:
  openai:
    protocol: openai
    endpoints: [{ url: "https://api.openai.com/v1", apiKey: "\${OPENAI_API_KEY:-}", weight: 1 }]
    models: {}
    timeouts: { connect: 1s, firstByte: 2s, idle: 3s, total: 4s }
    retry: off
    breaker: off
    concurrency: off
    hedge: { after: off, budget: 5% }
  companion: { protocol: http, endpoints: [{ url: "http://localhost:8084" }] }
routes:
  - match: /v1/**
    upstreams: [openai]
    auth: required
    limits: []
    cache: off
    coalesce: false
    idempotency: off
    stream: { holdBack: off, resume: off }
    validate: { required: [model], contentType: [application/json], schema: { type: object } }
  - { match: /companion/**, upstreams: [companion], stripPrefix: /companion, auth: none }
limits: {}
tiers: {}
auth:
  keys:
    - { id: demo, key: "\${DEMO_KEY}" }
    - { id: ci, sha256: "${'AB'.repeat(32)}" }
`
    const settings = settingsOf(await check(yaml, { DEMO_KEY: 'a “key” of any characters' }))
    expect(settings.routes).toEqual([
      {
        match: '/v1/**',
        upstreams: ['openai'],
        auth: 'required',
        limits: [],
        stripPrefix: '',
        validate: {
          required: ['model'],
          contentType: ['application/json'],
          schema: { type: 'object' },
        },
        holdBack: 'off',
        ...nothingShared,
      },
      {
        match: '/companion/**',
        upstreams: ['companion'],
        auth: 'none',
        limits: [],
        stripPrefix: '/companion',
        validate: undefined,
        holdBack: 'off',
        ...nothingShared,
      },
    ])
    expect(settings.keys.map(({ id }) => id)).toEqual(['demo', 'ci'])
    expect(settings.keys[1]?.secret).toEqual({ sha256: 'ab'.repeat(32) })
    expect(settings.upstreams[0]?.endpoints[0]?.apiKey).toBeUndefined()
    expect(settings.server).toMatchObject({ compression: false, maxConnections: 50 })
  })

  it('names the log file, or a variable does', async () => {
    expect(settingsOf(await check(file())).logFile).toBeUndefined()
    const top = 'logging: { file: { path: logs/a.log, maxSize: 5mb, frequency: hourly, keep: 2 } }'
    expect(settingsOf(await check(file({ top }))).logFile).toEqual({
      file: join(folder, 'logs/a.log'),
      maxSize: 5 * 1024 * 1024,
      frequency: 'hourly',
      keep: 2,
    })
    const byVariable = settingsOf(await check(file(), { LOG_FILE: join(folder, 'b.log') })).logFile
    const size = 100 * 1024 * 1024
    expect(byVariable).toEqual({
      file: join(folder, 'b.log'),
      maxSize: size,
      frequency: 'daily',
      keep: 10,
    })
  })

  it('reads the certificate and its key', async () => {
    await using made = await makeCertificates()
    const { certFile, keyFile, cert, key } = made
    const top = `server: { tls: { certFile: ${certFile}, keyFile: ${keyFile} } }`
    expect(settingsOf(await check(file({ top }))).server.tls).toEqual({ cert, key })
  })

  it('may be JSON', async () => {
    const json = {
      version: 1,
      upstreams: { a: { protocol: 'http', endpoints: [{ url: 'http://a' }] } },
      routes: [{ match: '/**', upstreams: ['a'] }],
    }
    expect(settingsOf(await check(JSON.stringify(json))).routes[0]?.upstreams).toEqual(['a'])
  })

  it('is below the environment, and above a profile', async () => {
    const checked = await check(file({ top: 'server: { port: 9000, host: "::1" }' }), {
      PORT: '9100',
      LOG_LEVEL: 'error',
      DEBUG: 'true',
      CORS_ORIGINS: 'https://a.example, https://b.example',
      ENVIRONMENT: 'staging',
      ADMIN_KEY: 'an admin key of some length',
    })
    const settings = settingsOf(checked)
    expect(settings).toMatchObject({
      profile: 'staging',
      logLevel: 'error',
      server: {
        port: 9100,
        host: '::1',
        cors: { origins: ['https://a.example', 'https://b.example'] },
      },
    })
    expect(settings.admin.key?.reveal()).toBe('an admin key of some length')
  })

  it('logs at debug when DEBUG says so and nothing else does', async () => {
    expect(settingsOf(await check(file(), { DEBUG: '1' })).logLevel).toBe('debug')
    const explicit = await check(file({ top: 'logging: { level: error }' }), { DEBUG: '1' })
    expect(settingsOf(explicit).logLevel).toBe('error')
  })
})

describe('a route that can not be reached', () => {
  it('is a warning that names the one before it', async () => {
    const checked = await check(`${file()}  - { match: /v1/models, upstreams: [openai] }\n`)
    settingsOf(checked)
    expect(warningsOf(checked)).toEqual([expect.stringContaining('routes[0] (/v1/**) comes first')])
  })

  it('is warned of as an unused upstream is', async () => {
    const unused = '  spare: { protocol: http, endpoints: [{ url: "http://x" }] }\nroutes:'
    const checked = await check(file().replace('routes:', unused))
    expect(warningsOf(checked)).toEqual([expect.stringContaining('no route uses this upstream')])
  })
})
