import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, bearer, gatewayFor, providerKey } from './gateway.ts'
import { audience, type Issuer, startIssuer } from './issuer.ts'

let provider: Provider
let stack: AsyncDisposableStack

beforeAll(async () => {
  provider = await startProvider({ apiKeys: [providerKey] })
})
afterAll(async () => await provider[Symbol.asyncDispose]())

afterEach(async () => await stack?.disposeAsync())

async function setUp(
  jwt: object = {},
  prepare: (issuer: Issuer) => void = () => undefined,
): Promise<{ issuer: Issuer; gateway: RunningGateway }> {
  stack = new AsyncDisposableStack()
  const issuer = stack.use(await startIssuer())
  prepare(issuer)
  const auth = { jwt: { issuer: issuer.url, audience, ...jwt }, guard: 'off' }
  return { issuer, gateway: stack.use(await gatewayFor(provider, auth)) }
}

describe('signing keys', () => {
  it('are fetched at start, before the first request', async () => {
    const { issuer } = await setUp()
    await pollUntil(async () => issuer.keyHits === 1, { describe: () => 'no keys were fetched' })
  })

  it('that are new are found by the first token that names one', async () => {
    const { issuer, gateway } = await setUp()
    const old = await issuer.sign()
    expect((await ask(gateway, bearer(old))).status).toBe(200)
    await issuer.rotate()
    const tokens = await Promise.all(
      Array.from({ length: 20 }, () => issuer.sign({ jti: `${Math.random()}` })),
    )
    const all = await Promise.all(tokens.map((token) => ask(gateway, bearer(token))))
    expect(all.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(issuer.keyHits).toBe(2)
    expect((await ask(gateway, bearer(old))).status).toBe(200)
  })

  it('that nobody knows do not make a flood of questions', async () => {
    const { issuer, gateway } = await setUp()
    expect((await ask(gateway, bearer(await issuer.sign()))).status).toBe(200)
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, at) => issuer.sign({}, { kid: `made-up-${at}` })),
    )
    const all = await Promise.all(tokens.map((token) => ask(gateway, bearer(token))))
    expect(new Set(all.map(({ code }) => code))).toEqual(new Set(['invalid_token']))
    expect(issuer.keyHits).toBeLessThanOrEqual(2)
  })

  it('that were withdrawn count no longer than cacheFor, also for tokens seen before', async () => {
    const { issuer, gateway } = await setUp({ cacheFor: '1s' })
    const token = await issuer.sign()
    expect((await ask(gateway, bearer(token))).status).toBe(200)
    await issuer.rotate({ withdraw: true })
    await pollUntil(async () => (await ask(gateway, bearer(token))).status === 401, {
      describe: () => 'the withdrawn key still counts',
    })
    expect(await ask(gateway, bearer(token))).toMatchObject({ code: 'invalid_token' })
    expect((await ask(gateway, bearer(await issuer.sign()))).status).toBe(200)
  })

  it.each(['reset', 'error', 'garbage', 'huge', 'redirect'] as const)(
    'go on being used while the issuer fails: %s',
    async (trouble) => {
      const { issuer, gateway } = await setUp({ cacheFor: '1s' })
      expect((await ask(gateway, bearer(await issuer.sign()))).status).toBe(200)
      const hits = issuer.keyHits
      issuer.trouble(trouble)
      await gateway.waitForLog(({ message }) => message === 'signing keys can not be fetched')
      const fresh = await issuer.sign({ sub: 'eve' })
      expect((await ask(gateway, bearer(fresh))).status).toBe(200)
      issuer.trouble(undefined)
      await gateway.waitForLog(({ message }) => message === 'signing keys can be fetched again')
      expect(issuer.keyHits).toBeGreaterThan(hits)
    },
  )

  it('are given up after keepFor', async () => {
    const { issuer, gateway } = await setUp({ cacheFor: '1s', keepFor: '2s' })
    const token = await issuer.sign()
    expect((await ask(gateway, bearer(token))).status).toBe(200)
    issuer.trouble('reset')
    await pollUntil(async () => (await ask(gateway, bearer(token))).status === 503, {
      describe: () => 'the old keys still count',
    })
  })

  it.each(['reset', 'error', 'garbage', 'huge', 'redirect'] as const)(
    'that were never had make it 503 and not 401: %s',
    async (trouble) => {
      const stranger = await startIssuer()
      const { issuer, gateway } = await setUp({}, (each) => {
        each.redirectTo = `${stranger.url}/keys`
        each.trouble(trouble)
      })
      const token = await issuer.sign()
      const said = await ask(gateway, bearer(token))
      expect(said).toMatchObject({ status: 503, code: 'auth_unavailable' })
      expect(Number(said.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(said.headers.get('x-should-retry')).toBe('true')
      expect(stranger.keyHits).toBe(0)
      await stranger[Symbol.asyncDispose]()
      issuer.trouble(undefined)
      await pollUntil(async () => (await ask(gateway, bearer(token))).status === 200, {
        describe: () => 'the keys were not fetched',
      })
    },
  )

  it('of an issuer that is silent cost a caller five seconds, and the next one nothing', async () => {
    const { issuer, gateway } = await setUp({ jwksUrl: undefined }, (each) =>
      each.trouble('silent'),
    )
    const token = await issuer.sign()
    expect(await ask(gateway, bearer(token))).toMatchObject({ status: 503 })
    const hits = issuer.keyHits
    expect(await ask(gateway, bearer(token))).toMatchObject({ status: 503 })
    expect(issuer.keyHits).toBe(hits)
  })

  it('of a token that came while the issuer was out leave it in doubt, and not wrong', async () => {
    const { issuer, gateway } = await setUp({ cacheFor: '1s' })
    expect((await ask(gateway, bearer(await issuer.sign()))).status).toBe(200)
    issuer.trouble('reset')
    await gateway.waitForLog(({ message }) => message === 'signing keys can not be fetched')
    await issuer.rotate()
    expect(await ask(gateway, bearer(await issuer.sign()))).toMatchObject({
      ...{ status: 503, code: 'auth_unavailable' },
    })
  })

  it('are taken from jwksUrl without discovery, for an issuer that is no address', async () => {
    stack = new AsyncDisposableStack()
    const issuer = stack.use(await startIssuer('EdDSA'))
    const jwt = { issuer: 'accounts', jwksUrl: `${issuer.url}/keys`, audience }
    const gateway = stack.use(await gatewayFor(provider, { jwt }))
    expect((await ask(gateway, bearer(await issuer.sign({ iss: 'accounts' })))).status).toBe(200)
    expect((await ask(gateway, bearer(await issuer.sign()))).status).toBe(401)
  })

  it('and how fetching them went is told to operators', async () => {
    const { issuer, gateway } = await setUp({ cacheFor: '1s' })
    const look = async () => {
      const response = await fetch(`${gateway.url}/health/auth`)
      return (await response.json()) as { status: string; issuers: readonly object[] }
    }
    await pollUntil(async () => (await look()).status === 'healthy', {
      describe: () => 'the keys were not fetched',
    })
    expect(await look()).toMatchObject({ issuers: [{ issuer: issuer.url, keys: 1 }] })
    issuer.trouble('error')
    await gateway.waitForLog(({ message }) => message === 'signing keys can not be fetched')
    expect(await look()).toMatchObject({
      ...{ status: 'degraded', issuers: [{ keys: 1, last_fault: 'the answer has status 500' }] },
    })
  })

  it('of several issuers are kept apart', async () => {
    stack = new AsyncDisposableStack()
    const [one, other] = [stack.use(await startIssuer()), stack.use(await startIssuer('RS256'))]
    const jwt = [
      { issuer: one.url, name: 'staff', audience },
      { issuer: other.url, name: 'partners', audience },
    ]
    const gateway = stack.use(await gatewayFor(provider, { jwt }))
    for (const [issuer, id] of [
      [one, 'staff:ada'],
      [other, 'partners:ada'],
    ] as const) {
      const headers = { ...bearer(await issuer.sign()), 'x-request-id': id.replace(':', '-') }
      expect((await ask(gateway, headers)).status).toBe(200)
      const line = await gateway.waitForLog(
        ({ request_id: request, message }) =>
          request === headers['x-request-id'] && message === 'request',
      )
      expect(line.client).toBe(id)
    }
    const crossed = await one.sign({ iss: other.url })
    expect(await ask(gateway, bearer(crossed))).toMatchObject({ code: 'invalid_token' })
  })
})
