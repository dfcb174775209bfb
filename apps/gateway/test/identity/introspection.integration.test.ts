import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, bearer, gatewayFor, providerKey } from './gateway.ts'
import { audience, type Issuer, startIssuer } from './issuer.ts'

const clientSecret = 'secret-of-the-introspecting-gateway'

let provider: Provider
let issuer: Issuer
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider({ apiKeys: [providerKey] })
  issuer = await startIssuer()
  gateway = await gatewayFor(provider, {
    keys: [{ id: 'app', key: 'tg-static-key' }],
    jwt: { issuer: issuer.url, audience },
    introspection: {
      ...{ url: `${issuer.url}/introspect`, clientId: 'gateway', clientSecret },
      ...{ cacheFor: '1s', timeout: '500ms', scopes: ['use'] },
    },
    guard: 'off',
  })
})
beforeEach(() => {
  provider.reset()
  issuer.trouble(undefined)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

describe('a token that the authorization server is asked about', () => {
  it('passes while it is active, and is asked about once', async () => {
    issuer.answer('opaque-1', { sub: 'ada', scope: 'use' })
    const before = issuer.questions.length
    const all = await Promise.all(
      Array.from({ length: 20 }, () => ask(gateway, bearer('opaque-1'))),
    )
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect(issuer.questions.slice(before)).toEqual([
      {
        token: 'opaque-1',
        hint: 'access_token',
        authorization: `Basic ${Buffer.from(`gateway:${clientSecret}`).toString('base64')}`,
      },
    ])
    expect(provider.lastRequest.headerValues('authorization')).toEqual([`Bearer ${providerKey}`])
  })

  it('is refused when it is not, as a token', async () => {
    const said = await ask(gateway, bearer('opaque-revoked'))
    expect(said).toMatchObject({ status: 401, code: 'invalid_token' })
    expect(said.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('is 403 when it lacks a scope', async () => {
    issuer.answer('opaque-narrow', { sub: 'ada', scope: 'see' })
    const said = await ask(gateway, { ...bearer('opaque-narrow'), 'x-request-id': 'narrow' })
    expect(said).toMatchObject({ status: 403, code: 'insufficient_scope' })
    expect(said.headers.get('www-authenticate')).toBe(
      'Bearer realm="tidegate", error="insufficient_scope", scope="use"',
    )
    const line = await gateway.waitForLog(
      ({ request_id: id, security }) => id === 'narrow' && security === true,
    )
    expect(line).toMatchObject({ event_type: 'access_denied', reason: 'insufficient' })
  })

  it.each(['reset', 'error', 'garbage', 'huge', 'redirect', 'silent'] as const)(
    'is 503 and never let in while the server fails: %s',
    async (trouble) => {
      issuer.answer(`opaque-${trouble}`, { sub: 'ada', scope: 'use' })
      issuer.trouble(trouble)
      const said = await ask(gateway, bearer(`opaque-${trouble}`))
      expect(said).toMatchObject({ status: 503, code: 'auth_unavailable' })
      expect(said.headers.get('retry-after')).not.toBeNull()
      expect(provider.hits).toBe(0)
    },
  )

  it('is shown to no one while keys and JWTs say enough', async () => {
    const before = issuer.questions.length
    const token = await issuer.sign()
    const beside = { ...bearer('sk-of-a-provider'), 'x-api-key': 'tg-static-key' }
    expect((await ask(gateway, beside)).status).toBe(200)
    expect((await ask(gateway, { ...bearer(token), 'x-api-key': 'sk-other' })).status).toBe(200)
    const expired = await issuer.sign({ exp: 1 })
    expect((await ask(gateway, bearer(expired))).status).toBe(401)
    expect(issuer.questions.length).toBe(before)
  })

  it('is in no log, nor is the secret', async () => {
    expect(gateway.stdout + gateway.stderr).not.toContain('opaque-1')
    expect(gateway.stdout + gateway.stderr).not.toContain(clientSecret)
    const basic = Buffer.from(`gateway:${clientSecret}`).toString('base64')
    expect(gateway.stdout + gateway.stderr).not.toContain(basic)
  })
})
