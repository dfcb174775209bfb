import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  check,
  checkEnvironment,
  type Env,
  file,
  folder,
  problemsOf,
  settingsOf,
  warningsOf,
} from './check.fixture.ts'

const limits = 'limits: { per-ip: { by: ip, rate: 100/1m, burst: 10 } }'

describe('limits of a file', () => {
  it('become what the limiter is made of', async () => {
    const top = `
limits:
  per-ip: { by: ip, rate: 100/1m, burst: 10, onStoreError: deny }
  daily: { by: key, rate: 1k/1d, algorithm: fixed-window, precision: leased }
  slow: { by: user, rate: 5/15m, algorithm: sliding-window, shadow: true }
  fast: { by: ip, rate: 1k/1s, precision: { maxOvershoot: 2% } }`
    const route = 'limits: [per-ip, daily, slow, fast]\nauth: optional'
    const settings = settingsOf(await check(file({ top, route })))
    expect(settings.routes[0]?.limits).toEqual(['per-ip', 'daily', 'slow', 'fast'])
    expect(settings.limits).toMatchObject([
      {
        ...{ name: 'per-ip', by: 'ip' },
        rule: { kind: 'token-bucket', limit: 100, windowMs: 60_000, burst: 10 },
      },
      { name: 'daily', by: 'key', rule: { kind: 'fixed-window', limit: 1000 } },
      { name: 'slow', by: 'user', rule: { kind: 'sliding-window', limit: 5, shadow: true } },
      { name: 'fast', rule: { kind: 'token-bucket', limit: 1000, burst: 1000 } },
    ])
    expect(settings.limits.map(({ rule }) => rule)).toMatchObject([
      { onStoreError: 'deny', precision: 'exact' },
      { onStoreError: 'local', precision: 'leased' },
      {},
      { precision: { maxOvershoot: 0.02 } },
    ])
  })

  it('of a tier are requests, tokens and places, each where it is said', async () => {
    const top = `
tiers:
  free: { requests: 60/1m, burst: 10, tokens: 40k/1m, concurrent: 5 }
  staff: {}
auth: { keys: [{ id: a, key: k, tier: free }] }`
    const { tiers } = settingsOf(await check(file({ top, route: 'limits: [tier]' })))
    expect(tiers).toMatchObject([
      {
        name: 'free',
        requests: { kind: 'token-bucket', limit: 60, burst: 10 },
        tokens: { kind: 'budget', limit: 40_000, burst: 40_000 },
        concurrent: { kind: 'concurrency', limit: 5, ttlMs: 30_000 },
      },
      { name: 'staff' },
    ])
    expect(tiers[1]?.requests ?? tiers[1]?.tokens ?? tiers[1]?.concurrent).toBeUndefined()
  })

  it('are none where nothing is said, behind a guard that is generous', async () => {
    const settings = settingsOf(await check(file()))
    expect(settings).toMatchObject({ limits: [], tiers: [], redis: undefined })
    expect(settings.routes[0]?.limits).toEqual([])
    expect(settings.server.guard).toEqual({ limit: 1000, windowMs: 1000, burst: 2000 })
    const off = settingsOf(await check(file({ top: 'server: { guard: off }' })))
    expect(off.server.guard).toBeUndefined()
    const own = settingsOf(await check(file({ top: 'server: { guard: { rate: 50/1s } }' })))
    expect(own.server.guard).toEqual({ limit: 50, windowMs: 1000, burst: 100 })
  })

  it.each([
    [{ top: limits, route: 'limits: [per-pi]' }, 'did you mean "per-ip"?'],
    [{ route: 'limits: [tier]' }, 'there are no tiers'],
    [{ top: limits, route: 'limits: [per-ip, per-ip]' }, 'is on this route already'],
    [{ top: 'limits: { tier: { by: ip, rate: 1/1s } }' }, 'this name is taken'],
    [{ top: 'limits: { Per.IP: { by: ip, rate: 1/1s } }' }, 'lower-case letters'],
    [{ top: 'limits: { a: { by: ipp, rate: 1/1s } }' }, 'did you mean "ip"?'],
    [{ top: 'limits: { a: { by: ip, rate: 100 } }' }, 'a rate such as 100/1m'],
    [
      { top: 'limits: { a: { by: ip, rate: 1/1m, burst: 2, algorithm: sliding-window } }' },
      'has no meaning with sliding-window',
    ],
    [
      {
        top: 'limits: { a: { by: ip, rate: 1/1m, precision: leased, algorithm: sliding-window } }',
      },
      'there is no leased for sliding-window',
    ],
    [
      { top: 'limits: { a: { by: ip, rate: 1000003/999999937ms, burst: 1000000000 } }' },
      "can't be computed exactly",
    ],
    [
      { top: 'limits: { a: { by: ip, rate: 9/1m, precision: { maxOvershoot: 0% } } }' },
      'limits.a.precision.maxOvershoot: expected more than 0%',
    ],
    [{ top: 'tiers: { free: { burst: 5 } }' }, 'has no meaning without requests'],
  ])('are refused where they make no sense: %j', async (parts, expected) => {
    expect(problemsOf(await check(file(parts))).join('\n')).toContain(expected)
  })

  it.each([
    [{ top: limits }, 'no route uses this limit'],
    [{ top: 'tiers: { free: {} }' }, 'no route asks for the limits of tiers'],
    [
      { top: 'limits: { a: { by: key, rate: 1/1s } }', route: 'limits: [a]' },
      'is counted by address',
    ],
    [
      { top: 'tiers: { free: {} }\nauth: { keys: [{ id: a, key: k }] }', route: 'limits: [tier]' },
      'has no tier, and as there is no tier "default" none limits it',
    ],
  ])('are doubted where they are of no use: %j', async (parts, expected) => {
    const checked = await check(file(parts))
    expect(problemsOf(checked)).toEqual([])
    expect(warningsOf(checked).join('\n')).toContain(expected)
  })
})

describe('limits of the environment', () => {
  const limitOf = async (env: Env) => settingsOf(await checkEnvironment(env))

  it('are 100 a minute and address, ten of them at once, on every route', async () => {
    const settings = await limitOf({ BACKEND_SERVICE_URL: 'http://localhost:1' })
    expect(settings.routes.map((route) => route.limits)).toEqual([['per-ip'], ['per-ip']])
    expect(settings.limits).toMatchObject([
      { name: 'per-ip', by: 'ip', rule: { limit: 100, windowMs: 60_000, burst: 10 } },
    ])
  })

  it('are as the variables say', async () => {
    const { limits: own } = await limitOf({ RATE_LIMIT_PER_MINUTE: '90', RATE_LIMIT_BURST: '20' })
    expect(own).toMatchObject([{ rule: { kind: 'token-bucket', limit: 90, burst: 20 } }])
    const off = await limitOf({ RATE_LIMIT_ENABLED: 'false', RATE_LIMIT_PER_MINUTE: '90' })
    expect(off).toMatchObject({ limits: [], routes: [{ limits: [] }] })
  })

  it('are so many in a window, which may come all at once', async () => {
    const window = { kind: 'sliding-window', limit: 500, windowMs: 300_000 }
    const { limits: own } = await limitOf({ RATE_LIMIT_REQUESTS: '500', RATE_LIMIT_WINDOW: '5m' })
    expect(own).toMatchObject([{ rule: window }])
    const { limits: usual } = await limitOf({ RATE_LIMIT_WINDOW: '30' })
    expect(usual).toMatchObject([{ rule: { limit: 100, windowMs: 30_000 } }])
  })

  it('are not said in two ways', async () => {
    const both = { RATE_LIMIT_PER_MINUTE: '90', RATE_LIMIT_REQUESTS: '100' }
    expect(problemsOf(await checkEnvironment(both))).toEqual([
      expect.stringMatching(/^RATE_LIMIT_PER_MINUTE: RATE_LIMIT_REQUESTS is set as well/),
    ])
    const idle = { RATE_LIMIT_REQUESTS: '100', RATE_LIMIT_BURST: '10' }
    expect(warningsOf(await checkEnvironment(idle))).toEqual([
      expect.stringMatching(/^RATE_LIMIT_BURST: set, but has no effect/),
    ])
  })

  it('name the variable that is wrong', async () => {
    const wrong = { RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_ENABLED: 'perhaps' }
    expect(problemsOf(await checkEnvironment(wrong))).toEqual([
      'RATE_LIMIT_ENABLED: expected true or false, got "perhaps"',
      'RATE_LIMIT_PER_MINUTE: expected a whole number from 1 to 1000000, got "0"',
    ])
  })

  it('leave it to a file, and say so', async () => {
    const checked = await check(file(), { RATE_LIMIT_PER_MINUTE: '90', RATE_LIMIT_ENABLED: 'no' })
    expect(settingsOf(checked).limits).toEqual([])
    expect(warningsOf(checked)).toEqual([
      expect.stringMatching(/^RATE_LIMIT_PER_MINUTE: set, but has no effect, as the file/),
      expect.stringMatching(/^RATE_LIMIT_ENABLED: set, but has no effect, as the file/),
    ])
  })
})

describe('redis', () => {
  it('is connected to as the variables say, with a file and without', async () => {
    const ca = join(mkdtempSync(join(folder, 'ca-')), 'ca.pem')
    writeFileSync(ca, '-----BEGIN CERTIFICATE-----\n')
    const env = {
      REDIS_URL: 'redis://redis.example:6380/1',
      REDIS_PASSWORD: 'CANARY',
      REDIS_TIMEOUT: '2',
      REDIS_MAX_CONNECTIONS: '7',
      REDIS_USE_SSL: 'true',
      REDIS_CA_CERT_PATH: ca,
    }
    for (const checked of [await checkEnvironment(env), await check(file(), env)]) {
      const { redis } = settingsOf(checked)
      expect(redis?.prefix).toBe('tidegate')
      expect(redis?.options).toMatchObject({
        ...{ connectTimeoutMs: 2000, commandTimeoutMs: 2000, maxConnections: 7, protocol: 3 },
        tls: { ca: '-----BEGIN CERTIFICATE-----\n' },
      })
      expect(JSON.stringify(redis)).not.toContain('CANARY')
    }
  })

  it('may be a Cluster or what Sentinels watch', async () => {
    const cluster = 'redis: { cluster: ["a.example", "[::1]:7001"] }'
    const { redis } = settingsOf(await check(file({ top: cluster })))
    expect(redis?.options.cluster).toEqual([{ host: 'a.example' }, { host: '::1', port: 7001 }])
    const watched =
      'redis: { sentinel: { name: primary, nodes: "s1:26379,s2", tls: true }, tls: { enabled: true } }'
    const { redis: other } = settingsOf(await check(file({ top: watched })))
    expect(other?.options).toMatchObject({
      sentinel: { name: 'primary', nodes: [{ host: 's1', port: 26_379 }, { host: 's2' }], tls: {} },
      tls: {},
    })
  })

  it.each([
    ['redis: { url: "redis://x", cluster: [y] }', 'redis.url: give exactly one of url, cluster'],
    ['redis: { cluster: ["a:70000"] }', 'expected a host and port such as'],
    ['redis: { url: "redis://x", tls: { caFile: absent.pem } }', 'redis.tls.caFile: there is no'],
    ['redis: { url: "redis://x", tls: { caFile: tidegate.yaml } }', 'nothing in PEM form'],
    ['redis: { url: "redis://x?a=1" }', 'redis.url: has a query'],
    ['redis: { cluster: [x], database: 2 }', 'redis.database: is 0 on a Cluster'],
    ['redis: { url: "CANARY" }', 'redis.url: expected an address such as redis://host:port'],
  ])('is refused as %s', async (top, expected) => {
    const problems = problemsOf(await check(file({ top }))).join('\n')
    expect(problems).toContain(expected)
    expect(problems).not.toContain('CANARY')
  })

  it('is not missed without a server, but what was meant for it is told', async () => {
    const env = { REDIS_PASSWORD: 'x', REDIS_USE_SSL: 'true' }
    expect(warningsOf(await checkEnvironment(env))).toEqual([
      expect.stringMatching(/^REDIS_PASSWORD: .*no effect without a Redis/),
      expect.stringMatching(/REDIS_USE_SSL: .*no effect without a Redis/),
    ])
    expect(settingsOf(await check(file({ top: `redis: { url: "\${NONE:-}" }` }))).redis).toBe(
      undefined,
    )
  })
})
