import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { base64url, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, bearer, gatewayFor, providerKey } from './gateway.ts'
import { audience, type Issuer, startIssuer } from './issuer.ts'

let provider: Provider
let issuer: Issuer
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider({ apiKeys: [providerKey] })
  issuer = await startIssuer('RS256')
  gateway = await gatewayFor(
    provider,
    {
      keys: [{ id: 'app', key: 'tg-static-key', tier: 'free' }],
      jwt: { issuer: issuer.url, audience, algorithms: ['RS256', 'ES256'], tierClaim: 'plan.tier' },
      guard: 'off',
    },
    { tiers: { free: { requests: '1000/1m' }, pro: { requests: '5000/1m' } } },
  )
})
beforeEach(() => provider.reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const seconds = () => Math.floor(Date.now() / 1000)

describe('a JWT of the issuer', () => {
  it.each(['authorization', 'x-api-key', 'api-key'])('passes in %s', async (header) => {
    const token = await issuer.sign()
    const value = header === 'authorization' ? `Bearer ${token}` : token
    expect(await ask(gateway, { [header]: value })).toMatchObject({ status: 200 })
  })

  it('goes no further: the upstream gets the endpoint’s own key alone', async () => {
    const token = await issuer.sign()
    await ask(gateway, { ...bearer(token), 'x-api-key': token })
    expect(provider.lastRequest.headerValues('authorization')).toEqual([`Bearer ${providerKey}`])
    expect(provider.lastRequest.rawHeaders.join()).not.toContain(token)
  })

  it('goes no further where no key takes its place, nor does an expired one beside a key', async () => {
    const token = await issuer.sign({ exp: seconds() - 3600 })
    await ask(gateway, { ...bearer(await issuer.sign()) }, '/echo/a')
    expect(provider.lastRequest.headerValues('authorization')).toEqual([])
    await ask(gateway, { ...bearer(token), 'x-api-key': 'tg-static-key' }, '/echo/b')
    expect(provider.lastRequest.rawHeaders.join()).not.toContain(token)
    expect(provider.lastRequest.headerValues('x-api-key')).toEqual([])
  })

  it('lets no key pass beside it that was sent twice, and whatever else nobody here knows', async () => {
    const good = bearer(await issuer.sign())
    await ask(gateway, { ...good, 'x-api-key': 'tg-static-key, tg-static-key' }, '/echo/c')
    expect(provider.lastRequest.headerValues('x-api-key')).toEqual([])
    await ask(gateway, { ...good, 'x-api-key': 'sk-one, sk-two' }, '/echo/d')
    expect(provider.lastRequest.headerValues('x-api-key')).toEqual(['sk-one, sk-two'])
  })

  it('is named in the log by its user, and its use and tier by a security event', async () => {
    const token = await issuer.sign({ sub: 'user-17', plan: { tier: 'pro' } })
    await ask(gateway, { ...bearer(token), 'x-request-id': 'by-user' })
    const isLine = (message: string) => (line: { request_id?: unknown; message?: unknown }) =>
      line.request_id === 'by-user' && line.message === message
    expect(await gateway.waitForLog(isLine('request'))).toMatchObject({ client: 'user-17' })
    expect(await gateway.waitForLog(isLine('security: key_use'))).toMatchObject({
      ...{ level: 'debug', security: true, kind: 'jwt', client: 'user-17', tier: 'pro' },
    })
    expect(gateway.stdout).not.toContain(token)
  })

  it('passes within the tolerance of clocks', async () => {
    const past = { exp: seconds() - 20 }
    expect((await ask(gateway, bearer(await issuer.sign(past)))).status).toBe(200)
    const soon = { nbf: seconds() + 20 }
    expect((await ask(gateway, bearer(await issuer.sign(soon)))).status).toBe(200)
  })

  it('passes with any of several audiences, and signed by any algorithm that is taken', async () => {
    const several = await issuer.sign({ aud: ['https://other.example.com', audience] })
    expect((await ask(gateway, bearer(several))).status).toBe(200)
  })

  it('is verified once: its repetitions cost the issuer nothing', async () => {
    const token = await issuer.sign()
    const before = issuer.keyHits
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(gateway, bearer(token))))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect(issuer.keyHits).toBe(before)
  })
})

describe('a JWT that is no good', () => {
  const refused = async (token: string) => {
    const said = await ask(gateway, bearer(token))
    expect(provider.hits).toBe(0)
    return { ...said, challenge: said.headers.get('www-authenticate') }
  }

  it.each([
    ['expired', () => ({ exp: seconds() - 40 }), 'expired'],
    ['of tomorrow', () => ({ nbf: seconds() + 40 }), 'not valid yet'],
    ['for somebody else', () => ({ aud: 'https://other.example.com' }), 'another audience'],
    ['for nobody', () => ({ aud: undefined }), 'another audience'],
    ['without end', () => ({ exp: undefined }), 'lacks a claim'],
    ['with an end in words', () => ({ exp: 'never' }), 'lacks a claim'],
    ['without a subject', () => ({ sub: undefined }), 'whom it speaks for'],
  ])('is refused: %s', async (_, claims, words) => {
    const said = await refused(await issuer.sign(claims() as JWTPayload))
    expect(said).toMatchObject({ status: 401, code: 'invalid_token' })
    expect(said.message).toContain(words)
    expect(said.challenge).toMatch(
      /^Bearer realm="tidegate", error="invalid_token", error_description="[^"\\]+"$/,
    )
  })

  it('is refused when its issuer is none of ours, as a key that nobody knows', async () => {
    const said = await refused(await issuer.sign({ iss: 'https://login.evil.example/' }))
    expect(said).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect(said.challenge).toContain('error="invalid_token"')
  })

  it('is refused when anything in it was changed', async () => {
    const [header, payload, signature] = (await issuer.sign()).split('.') as [
      string,
      string,
      string,
    ]
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const forged = base64url.encode(JSON.stringify({ ...claims, sub: 'root' }))
    for (const token of [
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${payload}.AAAA`,
    ]) {
      expect(await refused(token)).toMatchObject({ status: 401, code: 'invalid_token' })
    }
  })

  it('is refused without a signature, whatever it calls that', async () => {
    const { iss, aud, sub, exp } = { iss: issuer.url, aud: audience, sub: 'ada', exp: 4e9 }
    const payload = base64url.encode(JSON.stringify({ iss, aud, sub, exp }))
    for (const alg of ['none', 'None', 'NONE', '', 'HS256', 'XX999']) {
      const header = base64url.encode(JSON.stringify({ alg, kid: issuer.signer.kid }))
      expect((await refused(`${header}.${payload}.AAAA`)).status).toBe(401)
      expect((await refused(`${header}.${payload}.`)).status).toBe(401)
    }
  })

  it('is refused when the public key served as a secret', async () => {
    const { pem, kid } = issuer.signer
    const token = await new SignJWT({ iss: issuer.url, aud: audience, sub: 'root', exp: 4e9 })
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(new TextEncoder().encode(pem))
    expect(await refused(token)).toMatchObject({ status: 401, code: 'invalid_token' })
  })

  it('is refused when it brings its own key, or points to one', async () => {
    const stranger = await startIssuer('RS256')
    const { jwk, kid } = stranger.signer
    for (const header of [{ jwk }, { jku: `${stranger.url}/keys` }, { x5u: stranger.url }]) {
      const token = await issuer.sign({ sub: 'root' }, { kid, ...header }, stranger.signer)
      expect(await refused(token)).toMatchObject({ status: 401, code: 'invalid_token' })
      const named = { ...header, kid: issuer.signer.kid }
      expect((await refused(await issuer.sign({}, named, stranger.signer))).status).toBe(401)
    }
    expect(stranger.keyHits).toBe(0)
    await stranger[Symbol.asyncDispose]()
  })

  it('is refused when it demands what nobody here understands', async () => {
    const token = await issuer.sign({}, { crit: ['exp-x'], 'exp-x': 1 }).catch(() => undefined)
    const header = base64url.encode(
      JSON.stringify({ alg: 'RS256', kid: issuer.signer.kid, crit: ['b64'], b64: false }),
    )
    const [, payload, signature] = (await issuer.sign()).split('.')
    expect((await refused(token ?? `${header}.${payload}.${signature}`)).status).toBe(401)
  })

  it.each(['a.b.c', '..', 'eyJhbGciOiJSUzI1NiJ9..', 'eyJ.eyJ.eyJ', `${'a'.repeat(4000)}.b.c`])(
    'is refused in any other shape: %.30s',
    async (token) => {
      expect((await refused(token)).status).toBe(401)
    },
  )

  it('is refused also where nobody has to say who they are', async () => {
    const token = await issuer.sign({ exp: seconds() - 3600 })
    expect(await ask(gateway, bearer(token), '/echo/a')).toMatchObject({ status: 401 })
    expect(provider.hits).toBe(0)
    await ask(gateway, {}, '/echo/a')
    expect(provider.hits).toBe(1)
  })

  it('is a security event with its reason and without itself', async () => {
    const token = await issuer.sign({ exp: seconds() - 3600 })
    await ask(gateway, { ...bearer(token), 'x-request-id': 'event' })
    const line = await gateway.waitForLog(
      ({ request_id: id, security }) => id === 'event' && security === true,
    )
    expect(line).toMatchObject({
      ...{ level: 'warn', event_type: 'auth_failure', reason: 'expired', header: 'authorization' },
    })
    expect(gateway.stdout).not.toContain(token.split('.')[2])
  })
})

describe('keys beside tokens', () => {
  it('pass as before', async () => {
    expect(await ask(gateway, bearer('tg-static-key'))).toMatchObject({ status: 200 })
    expect(await ask(gateway, bearer('tg-wrong'))).toMatchObject({
      ...{ status: 401, code: 'invalid_api_key' },
    })
    expect(await ask(gateway)).toMatchObject({ status: 401, code: 'missing_api_key' })
  })
})
