import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { isConfigError } from '@tidegate/config'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckedSettings, checkSettings, loadSettings } from './load.ts'
import { describeProblem } from './report.ts'
import type { Settings } from './settings.ts'

let cwd: string

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tidegate-config-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

type Env = Readonly<Record<string, string>>

function check(yaml: string, env: Env = {}): Promise<CheckedSettings> {
  writeFileSync(join(cwd, 'tidegate.yaml'), yaml)
  return checkSettings({ env, file: 'tidegate.yaml', cwd })
}

function problemsOf({ report }: CheckedSettings): string[] {
  return report.problems.map(describeProblem)
}

function warningsOf({ report }: CheckedSettings): string[] {
  return report.warnings.map(describeProblem)
}

function settingsOf(checked: CheckedSettings): Settings {
  expect(problemsOf(checked)).toEqual([])
  if (checked.settings === undefined) throw new Error('no settings')
  return checked.settings
}

/** The smallest file, with more below each of its parts. */
function file({ top = '', upstream = '', route = '', protocol = 'openai' } = {}): string {
  return `version: 1
${top}
upstreams:
  openai:
    protocol: ${protocol}
    endpoints: [{ url: "https://api.openai.com/v1" }]
${indent(upstream, 4)}
routes:
  - match: /v1/**
    upstreams: [openai]
${indent(route, 4)}
`
}

function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by))
}

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
      routes: [{ match: '/v1/**', upstream: 'openai', auth: 'none', stripPrefix: '' }],
      keys: [],
    })
    expect(settings.upstreams[0]?.endpoint.url.href).toBe('https://api.openai.com/v1')
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
    hedge: { after: off }
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
        upstream: 'openai',
        auth: 'required',
        stripPrefix: '',
        validate: {
          required: ['model'],
          contentType: ['application/json'],
          schema: { type: 'object' },
        },
      },
      {
        match: '/companion/**',
        upstream: 'companion',
        auth: 'none',
        stripPrefix: '/companion',
        validate: undefined,
      },
    ])
    expect(settings.keys.map(({ id }) => id)).toEqual(['demo', 'ci'])
    expect(settings.keys[1]?.secret).toEqual({ sha256: 'ab'.repeat(32) })
    expect(settings.upstreams[0]?.endpoint.apiKey).toBeUndefined()
    expect(settings.server).toMatchObject({ compression: false, maxConnections: 50 })
  })

  it('may be JSON', async () => {
    const json = {
      version: 1,
      upstreams: { a: { protocol: 'http', endpoints: [{ url: 'http://a' }] } },
      routes: [{ match: '/**', upstreams: ['a'] }],
    }
    expect(settingsOf(await check(JSON.stringify(json))).routes[0]?.upstream).toBe('a')
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

describe('problems', () => {
  it('come all at once, with line and suggestion', async () => {
    const checked = await check(`version: 1
server:
  prot: 8000
  keepAlive: soon
upstreams:
  openai: { protocol: openia, endpoints: [{ url: "api.openai.com" }] }
routes:
  - { match: v1, upstreams: [openai] }
  - { match: /health, upstreams: [] }
`)
    expect(checked.settings).toBeUndefined()
    const problems = problemsOf(checked)
    expect(problems).toHaveLength(7)
    expect(problems.join('\n')).toMatchInlineSnapshot(`
      "tidegate.yaml:3:3: server.prot: unknown key (did you mean "port"?)
      tidegate.yaml:4:14: server.keepAlive: expected a duration such as 30s of at least 1s and at most 1d, got "soon"
      tidegate.yaml:6:23: upstreams.openai.protocol: expected openai, anthropic or http, got "openia" (did you mean "openai"?)
      tidegate.yaml:6:50: upstreams.openai.endpoints[0].url: expected an address such as https://api.example.com/v1
      tidegate.yaml:8:14: routes[0].match: must begin with "/"
      tidegate.yaml:9:14: routes[1].match: can't be at or below /health, which the gateway itself answers
      tidegate.yaml:9:34: routes[1].upstreams: names no upstream"
    `)
  })

  it.each([
    ['an unknown upstream', { route: 'upstreams: [opnai]' }, 'there is no upstream "opnai"'],
    ['a prefix that is none', { route: 'stripPrefix: /v2' }, 'such as "/v1"'],
    ['required without keys', { route: 'auth: required' }, 'nobody could pass'],
    ['an unknown mode', { route: 'auth: requird' }, 'did you mean "required"?'],
    ['a wrong content type', { route: 'validate: { contentType: [json] }' }, 'application/json'],
    ['an empty key', { top: 'auth: { keys: [{ id: a, key: "" }] }' }, 'neither key nor sha256'],
    ['a missing variable', { top: `auth: { keys: [{ id: a, key: "\${NOPE}" }] }` }, 'NOPE'],
    ['space around a key', { top: 'auth: { keys: [{ id: a, key: " k" }] }' }, 'white space'],
    ['a control character', { top: 'auth: { keys: [{ id: a, key: "k\\u0001y" }] }' }, 'control'],
    ['a short digest', { top: 'auth: { keys: [{ id: a, sha256: "9f86d0…" }] }' }, '64 hexadecimal'],
    ['a bad id', { top: 'auth: { keys: [{ id: "a b", key: k }] }' }, 'as it stands in logs'],
    ['a bad network', { top: 'server: { trustedProxies: [10.0.0.0/99] }' }, 'not a network'],
    ['a bad origin', { top: 'server: { cors: { origins: [example.com] } }' }, 'not an origin'],
    ['a bad host', { top: 'server: { host: "http://x" }' }, 'without scheme'],
    ['a bad port', { top: 'server: { port: 65536 }' }, 'a port from 0 to 65535'],
    ['no size', { top: 'server: { bodyLimit: 10 megs }' }, 'a size such as 10mb'],
    ['no certificate', { top: 'server: { tls: { certFile: a, keyFile: b } }' }, 'no such file'],
    ['no JSON Schema', { route: 'validate: { schema: { type: objekt } }' }, 'routes[0].validate'],
    ['an unknown key', { top: 'loging: {}' }, 'did you mean "logging"?'],
  ])('name %s', async (_, parts, expected) => {
    const yaml = file(parts).replace(
      'upstreams: [openai]\n    upstreams: [opnai]',
      'upstreams: [opnai]',
    )
    expect(problemsOf(await check(yaml)).join('\n')).toContain(expected)
  })

  it.each([
    ['redis', { top: 'redis: { url: "redis://:CANARY@x" }' }],
    ['workers', { top: 'server: { workers: auto }' }],
    ['models', { upstream: 'models: { fast: gpt }' }],
    ['retry', { upstream: 'retry: { retries: 2 }' }],
    ['breaker', { upstream: 'breaker: { failures: 5 }' }],
    ['concurrency', { upstream: 'concurrency: { max: 5 }' }],
    ['hedge', { upstream: 'hedge: { after: 1s }' }],
    ['route limits', { route: 'limits: [per-ip]' }],
    ['cache', { route: 'cache: { ttl: 5m }' }],
    ['coalesce', { route: 'coalesce: true' }],
    ['idempotency', { route: 'idempotency: 1h' }],
    ['holdBack', { route: 'stream: { holdBack: 1s }' }],
    ['resume', { route: 'stream: { resume: 1m }' }],
    ['limits', { top: 'limits: { per-ip: { by: ip, rate: 100/1m } }' }],
    ['tiers', { top: 'tiers: { free: { requests: 60/1m } }' }],
    ['a tier', { top: 'auth: { keys: [{ id: a, key: k, tier: free }] }' }],
    ['jwt', { top: 'auth: { jwt: { issuer: x } }' }],
  ])('say that %s is not built yet', async (_, parts) => {
    const checked = await check(file(parts))
    expect(checked.report.problems.map(({ code }) => code)).toEqual(['not_built_yet'])
    expect(problemsOf(checked)[0]).toContain('is not built yet')
    expect(problemsOf(checked)[0]).not.toContain('CANARY')
  })

  it('say that several endpoints and a second upstream are not built yet', async () => {
    const yaml = `version: 1
upstreams:
  a: { protocol: openai, endpoints: [{ url: "http://a" }, { url: "http://b" }] }
  b: { protocol: openai, endpoints: [{ url: "http://a" }] }
  c: { protocol: anthropic, endpoints: [{ url: "http://a" }] }
routes:
  - { match: /v1/**, upstreams: [a, b] }
  - { match: /v2/**, upstreams: [a, c] }
`
    const problems = problemsOf(await check(yaml)).join('\n')
    expect(problems).toContain('balancing over several endpoints is not built yet')
    expect(problems).toContain('failing over to a second upstream is not built yet')
    expect(problems).toContain('these speak openai and anthropic')
  })

  it('name keys and ids that are there twice, plain or hashed, and the admin key among them', async () => {
    const digest = createHash('sha256').update('CANARY-one').digest('hex')
    const yaml = file({
      top: `admin: { key: CANARY-two }
auth:
  keys:
    - { id: a, key: CANARY-one }
    - { id: a, sha256: ${digest} }
    - { id: b, key: CANARY-two }`,
    })
    const problems = problemsOf(await check(yaml))
    expect(problems).toHaveLength(3)
    expect(problems[0]).toContain('auth.keys[1]: this is the same key')
    expect(problems[1]).toContain('auth.keys[0] has this id already')
    expect(problems[2]).toContain('admin key too')
    expect(problems.join()).not.toContain('CANARY')
  })

  it('are a ConfigError when loaded', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'version: 2')
    const loading = loadSettings({ env: {}, file: 'bad.yaml', cwd })
    await expect(loading).rejects.toThrow('bad.yaml:1:10  version: expected 1')
    await expect(loading).rejects.toSatisfy(isConfigError)
  })

  it('say that there is no such file', async () => {
    const checked = await checkSettings({ env: {}, file: 'absent.yaml', cwd })
    expect(problemsOf(checked)[0]).toContain('absent.yaml')
    expect(problemsOf(checked)[0]).toContain('does not exist')
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
    const { report } = await checkSettings({ env, cwd: tmpdir() })
    expect(report.problems).toHaveLength(4)
    expect(report.toText() + JSON.stringify(report) + inspect(report)).not.toContain('CANARY')
    const fine = await checkSettings({
      env: { OPENAI_API_KEY: 'CANARY', ADMIN_KEY: 'CANARY' },
      cwd: tmpdir(),
    })
    expect(inspect(fine, { depth: 20 }) + JSON.stringify(fine)).not.toContain('CANARY')
  })
})

describe('the environment alone', () => {
  const load = async (env: Env): Promise<Settings> =>
    settingsOf(await checkSettings({ env, cwd: tmpdir() }))
  const routesOf = ({ routes }: Settings): string[] =>
    routes.map(({ match, upstream }) => `${match} ${upstream}`)

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
    expect(settings.upstreams[0]?.endpoint.url.href).toBe('https://api.openai.com/v1')
    expect(settings.upstreams[0]?.endpoint.apiKey?.reveal()).toBe('sk-x')
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
    expect(local.upstreams[0]?.endpoint.apiKey).toBeUndefined()
  })

  it('refuses to lend a key to everybody, and names the variable', async () => {
    const checked = await checkSettings({
      env: { OPENAI_API_KEY: 'sk-x', HOST: '0.0.0.0' },
      cwd: tmpdir(),
    })
    expect(problemsOf(checked)).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY: the gateway listens on 0\.0\.0\.0/),
    ])
    expect((await load({ HOST: '0.0.0.0' })).upstreams[0]?.demo).toBe(true)
  })

  it('reports every variable that is wrong by its name', async () => {
    const env = { OPENAI_API_KEY: ' k', OPENAI_BASE_URL: 'x', PORT: 'abc', ENVIRONMENT: 'prod' }
    const problems = problemsOf(await checkSettings({ env, cwd: tmpdir() })).join('\n')
    expect(problems).toMatchInlineSnapshot(`
      "ENVIRONMENT: unknown profile "prod": expected development, test, staging or production (did you mean "production"?)
      OPENAI_API_KEY: must not begin or end with white space
      OPENAI_BASE_URL: expected an address such as https://api.example.com/v1
      PORT: server.port: expected a port from 0 to 65535, got "abc""
    `)
  })

  it('warns of what is set without effect', async () => {
    const env = { REDIS_URL: 'redis://x', RATE_LIMIT_BURST: '10', OPENAI_API_KYE: 'x' }
    expect(warningsOf(await checkSettings({ env, cwd: tmpdir() }))).toMatchInlineSnapshot(`
      [
        "RATE_LIMIT_BURST: set, but what it configures is not built yet: no effect",
        "REDIS_URL: set, but what it configures is not built yet: no effect",
        "OPENAI_API_KYE: nothing reads the variable OPENAI_API_KYE (did you mean "OPENAI_API_KEY"?)",
      ]
    `)
  })

  it('is read from .env below the real environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-env-'))
    writeFileSync(join(folder, '.env'), 'PORT=9001\nHOST=::1\nOPENAI_API_KEY=\n')
    const settings = settingsOf(await checkSettings({ env: { PORT: '9002' }, cwd: folder }))
    rmSync(folder, { recursive: true })
    expect(settings.server).toMatchObject({ port: 9002, host: '::1' })
    expect(settings.upstreams[0]?.demo).toBe(true)
  })
})
