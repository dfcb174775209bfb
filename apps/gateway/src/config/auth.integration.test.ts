import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { check, file, problemsOf, settingsOf, warningsOf } from './check.fixture.ts'

const issuer = 'issuer: "https://login.example.com/"'
const withAuth = (auth: string) => check(file({ top: `auth: ${auth}` }))

describe("a key's tier", () => {
  it('is one of those that are configured', async () => {
    const top = `auth: { keys: [{ id: a, key: k, tier: fre }, { id: b, key: l, tier: free }] }
tiers: { free: { requests: 60/1m } }`
    const problems = problemsOf(await check(file({ top })))
    expect(problems).toEqual([expect.stringContaining('there is no tier "fre"')])
    expect(problems[0]).toContain('"free"')
  })

  it('is none where there are none', async () => {
    expect(problemsOf(await withAuth('{ keys: [{ id: a, key: k, tier: free }] }'))).toEqual([
      expect.stringContaining('there is no tier "free"; there are none under tiers'),
    ])
  })
})

describe('auth.jwt', () => {
  it('needs an issuer and an audience, and says the rest by itself', async () => {
    const { auth, routes } = settingsOf(await withAuth(`{ jwt: { ${issuer}, audience: us } }`))
    expect(auth.jwt).toEqual([
      {
        ...{ issuer: 'https://login.example.com/', name: undefined, audience: ['us'] },
        ...{ jwksUrl: undefined, algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
        ...{ clockTolerance: 30_000, cacheFor: 600_000, keepFor: 86_400_000 },
        ...{ userClaim: 'sub', tierClaim: 'tier', scopes: [], claims: new Map() },
      },
    ])
    expect(auth.guard).toEqual({ limit: 20, windowMs: 60_000, blockMs: 300_000 })
    expect(routes[0]?.auth).toBe('required')
    expect(problemsOf(await withAuth(`{ jwt: { ${issuer} } }`))).toEqual([
      expect.stringContaining('auth.jwt.audience'),
    ])
  })

  it.each(['none', 'HS256', 'HS512', 'RS1', 'rs256'])(
    'takes no %s for a signature',
    async (algorithm) => {
      const jwt = `{ jwt: { ${issuer}, audience: us, algorithms: [RS256, ${algorithm}] } }`
      expect(problemsOf(await withAuth(jwt))).toEqual([
        expect.stringContaining('auth.jwt.algorithms'),
      ])
    },
  )

  it.each([
    ['accounts.example.com', ''],
    ['https://login.example.com/?tenant=1', ''],
    ['https://user:CANARY@login.example.com/', ''],
  ])('is found by discovery only at an address: %s', async (name) => {
    const problems = problemsOf(await withAuth(`{ jwt: { issuer: "${name}", audience: us } }`))
    expect(problems).toEqual([expect.stringContaining('no address at which its keys')])
    const jwksUrl = 'jwksUrl: "https://keys.example.com/jwks?v=1"'
    settingsOf(await withAuth(`{ jwt: { issuer: "${name}", audience: us, ${jwksUrl} } }`))
  })

  it('may be several, of which each has a name of its own', async () => {
    const other = 'issuer: "https://other.example.com/"'
    const list = (one: string, two: string) =>
      withAuth(`{ jwt: [{ ${issuer}, audience: us, ${one} }, { ${other}, audience: us, ${two} }] }`)
    const { auth } = settingsOf(await list('name: staff', 'name: partners'))
    expect(auth.jwt.map(({ name }) => name)).toEqual(['staff', 'partners'])
    expect(problemsOf(await list('name: staff', 'scopes: []'))).toEqual([
      expect.stringContaining('auth.jwt[1]: needs a name'),
    ])
    expect(problemsOf(await list('name: staff', 'name: staff'))).toEqual([
      expect.stringContaining("auth.jwt[1].name: is another issuer's already"),
    ])
    const twice = `{ jwt: [{ ${issuer}, name: a, audience: us }, { ${issuer}, name: b, audience: we }] }`
    expect(problemsOf(await withAuth(twice))).toEqual([
      expect.stringContaining('auth.jwt[1].issuer: is there already'),
    ])
    expect(problemsOf(await withAuth('{ jwt: [] }'))).toHaveLength(1)
  })

  it('is warned of over http, but not in development nor on this machine', async () => {
    const top = (host: string) => `auth: { jwt: { issuer: "http://${host}/", audience: us } }`
    const env = { ENVIRONMENT: 'production' }
    expect(warningsOf(await check(file({ top: top('login.svc') }), env))).toEqual([
      expect.stringContaining('can vouch for anybody'),
    ])
    expect(warningsOf(await check(file({ top: top('127.0.0.1:9000') }), env))).toEqual([])
    expect(warningsOf(await check(file({ top: top('login.svc') })))).toEqual([])
  })

  it('is authentication: a lent credential may listen anywhere, and a route may require it', async () => {
    const yaml = file({
      top: `server: { host: 0.0.0.0 }\nauth: { jwt: { ${issuer}, audience: us } }`,
      route: 'auth: required',
    }).replace('api.openai.com/v1"', 'api.openai.com/v1", apiKey: CANARY')
    expect(settingsOf(await check(yaml)).routes[0]?.auth).toBe('required')
    const optional = yaml.replace('auth: required', 'auth: optional')
    expect(problemsOf(await check(optional))).toEqual([
      expect.stringContaining('would let anyone spend the apiKey'),
    ])
  })
})

describe('auth.introspection', () => {
  it('is authentication, and never shows its secret', async () => {
    const introspection =
      '{ introspection: { url: "https://login.example.com/i", clientId: gw, clientSecret: CANARY } }'
    const checked = await withAuth(introspection)
    const { auth, routes } = settingsOf(checked)
    expect(routes[0]?.auth).toBe('required')
    expect(auth.introspection).toMatchObject({ cacheFor: 30_000, timeout: 2_000 })
    expect(inspect(checked, { depth: 20 }) + JSON.stringify(checked)).not.toContain('CANARY')
  })

  it('says what is missing and what is wrong at once', async () => {
    const problems = problemsOf(
      await withAuth('{ introspection: { url: login, cachefor: 1s, clientSecret: CANARY } }'),
    )
    expect(problems.join('\n')).toContain('auth.introspection.url')
    expect(problems.join('\n')).toContain('auth.introspection.clientId')
    expect(problems.join('\n')).toContain('cacheFor')
    expect(problems.join('\n')).not.toContain('CANARY')
  })
})

describe('auth.guard', () => {
  it('is on unless it is off', async () => {
    expect(settingsOf(await withAuth('{ guard: off }')).auth.guard).toBeUndefined()
    const { auth } = settingsOf(await withAuth('{ guard: { failures: 5/10s, block: 1h } }'))
    expect(auth.guard).toEqual({ limit: 5, windowMs: 10_000, blockMs: 3_600_000 })
  })
})
