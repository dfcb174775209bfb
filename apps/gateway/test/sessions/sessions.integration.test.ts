import {
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, handlesOf } from './asking.ts'

const [ada, eve, bob, admin] = [
  'ada-key-0123456789',
  'eve-key-0123456789',
  'bob-key',
  'admin-key-0123456789',
]
const sessionsPath = '/api/v1/sessions'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await startGateway({
    config: {
      version: 1,
      admin: { key: admin },
      sessions: { max: 2, ttl: '10m' },
      upstreams: {
        service: { protocol: 'http', endpoints: [{ url: provider.url }] },
        openai: {
          protocol: 'openai',
          endpoints: [{ url: `${provider.url}/v1`, apiKey: 'theirs' }],
        },
        anthropic: {
          protocol: 'anthropic',
          endpoints: [{ url: `${provider.url}/v1`, apiKey: 'x' }],
        },
      },
      routes: [
        { match: '/v1/messages', upstreams: ['anthropic'] },
        { match: '/v1/**', upstreams: ['openai'] },
        { match: '/**', upstreams: ['service'] },
      ],
      auth: {
        keys: [
          { id: 'ada', key: ada },
          { id: 'eve', key: eve },
          { id: 'bob', key: bob },
        ],
      },
    },
  })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

const endAll = (key: string) => ask(gateway, sessionsPath, { method: 'DELETE', key })

describe('a request of a session', () => {
  it('opens it, renews it, and is refused when its user has as many as may be', async () => {
    for (const session of ['one', 'two', 'one', 'two']) {
      expect((await ask(gateway, '/echo/x', { key: ada, session })).status).toBe(200)
    }
    const refused = await ask(gateway, '/echo/x', { key: ada, session: 'three' })
    expect(refused.status).toBe(429)
    expect(refused.body).toMatchObject({
      code: 'concurrency_limit_exceeded',
      error: { type: 'rate_limit_error', code: 'concurrency_limit_exceeded' },
    })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500)
    expect(refused.headers.get('x-should-retry')).toBe('false')
    expect((await ask(gateway, '/echo/x', { key: eve, session: 'three' })).status).toBe(200)
    expect((await ask(gateway, '/echo/x', { key: ada })).status).toBe(200)
    await endAll(ada)
  })

  it('is refused in the form of its protocol', async () => {
    for (const session of ['one', 'two']) await ask(gateway, '/echo/x', { key: bob, session })
    const refused = await ask(gateway, '/v1/messages', { method: 'POST', key: bob, session: '3' })
    expect(refused.status).toBe(429)
    expect(refused.body).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    await endAll(bob)
  })

  it('tells its id to a service, and to no AI provider', async () => {
    await ask(gateway, '/echo/x', { key: ada, session: 'shown' })
    expect(provider.lastRequest.header('x-session-id')).toBe('shown')
    await ask(gateway, '/v1/models', { key: ada, session: 'shown' })
    expect(provider.lastRequest.header('x-session-id')).toBeUndefined()
    await endAll(ada)
  })

  it.each([' x y', 'x'.repeat(257), 'x, y'])(
    'is refused when its id is none: %j',
    async (session) => {
      const hits = provider.hits
      const refused = await ask(gateway, '/echo/x', { key: ada, session })
      expect([refused.status, refused.body?.code]).toEqual([400, 'invalid_session_id'])
      expect(provider.hits).toBe(hits)
    },
  )

  it.each([
    [
      429,
      'a handshake',
      ['upgrade: websocket', 'connection: upgrade', 'sec-websocket-version: 13'],
    ],
    [400, 'a request that names two', ['x-session-id: one-more']],
  ])('is refused by %i also as %s', async (status, what, fields) => {
    for (const session of [`${what.length}-1`, `${what.length}-2`]) {
      expect((await ask(gateway, '/echo/x', { key: ada, session })).status).toBe(200)
    }
    const head = ['GET /echo/x HTTP/1.1', 'host: localhost', `x-api-key: ${ada}`]
    const send = [...head, 'x-session-id: three', ...fields, '', ''].join('\r\n')
    const { response } = await rawRequest({ port: gateway.port, send })
    expect(response.status).toBe(status)
    await endAll(ada)
  })

  it('needs a key that is known before its session counts', async () => {
    expect((await ask(gateway, '/echo/x', { session: 'stranger' })).status).toBe(401)
    expect((await ask(gateway, '/echo/x', { key: 'wrong', session: 'stranger' })).status).toBe(401)
  })
})

describe('the endpoints of sessions', () => {
  it('open one with an id that lets requests in', async () => {
    const { status, headers, body } = await ask(gateway, sessionsPath, {
      method: 'POST',
      key: ada,
      headers: { 'user-agent': 'phone/1.0' },
    })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('location')).toBe(`${sessionsPath}/${body?.handle}`)
    expect(body).toMatchObject({ user: 'key:ada', client: 'phone/1.0' })
    expect(body?.id).toMatch(/^sess_[\w-]{32}$/)
    const lasts = Date.parse(String(body?.expires_at)) - Date.parse(String(body?.created_at))
    expect(lasts).toBe(600_000)
    const session = String(body?.id)
    expect((await ask(gateway, '/echo/x', { key: ada, session })).status).toBe(200)
    expect(handlesOf(await ask(gateway, sessionsPath, { key: ada }))).toEqual([body?.handle])
    await endAll(ada)
  })

  it('open no more than may be', async () => {
    const open = () => ask(gateway, sessionsPath, { method: 'POST', key: ada })
    const statuses = [await open(), await open(), await open()].map(({ status }) => status)
    expect(statuses).toEqual([201, 201, 429])
    expect((await endAll(ada)).body?.ended).toHaveLength(2)
    expect((await open()).status).toBe(201)
    await endAll(ada)
  })

  it('show and end one, by its handle or its id, and then it stays ended', async () => {
    for (const by of ['handle', 'id'] as const) {
      const { body } = await ask(gateway, sessionsPath, { method: 'POST', key: eve })
      const path = `${sessionsPath}/${body?.[by]}`
      const shown = await ask(gateway, path, { key: eve })
      expect(shown.body).toMatchObject({ user: 'key:eve', handle: body?.handle })
      expect(shown.body).not.toHaveProperty('id')
      expect((await ask(gateway, path, { method: 'DELETE', key: eve })).status).toBe(204)
      for (const method of ['GET', 'DELETE']) {
        const again = await ask(gateway, path, { method, key: eve })
        expect([again.status, again.body?.code]).toEqual([404, 'unknown_session'])
      }
      const refused = await ask(gateway, '/echo/x', { key: eve, session: String(body?.id) })
      expect([refused.status, refused.body?.code]).toEqual([401, 'session_ended'])
      expect(refused.headers.get('www-authenticate')).toContain('invalid_token')
    }
  })

  it('know nothing of others’ sessions', async () => {
    const { body } = await ask(gateway, sessionsPath, { method: 'POST', key: ada })
    for (const name of [body?.id, body?.handle]) {
      const path = `${sessionsPath}/${name}`
      expect((await ask(gateway, path, { key: eve })).status).toBe(404)
      expect((await ask(gateway, path, { method: 'DELETE', key: eve })).status).toBe(404)
    }
    expect(handlesOf(await ask(gateway, sessionsPath, { key: ada }))).toEqual([body?.handle])
    await endAll(ada)
  })

  it('need a key', async () => {
    for (const path of [sessionsPath, `${sessionsPath}/x`]) {
      for (const key of [undefined, 'wrong', admin]) {
        expect((await ask(gateway, path, key === undefined ? {} : { key })).status).toBe(401)
      }
    }
  })

  it('let an operator see and end anybody’s', async () => {
    const { body } = await ask(gateway, sessionsPath, { method: 'POST', key: ada })
    const of = '?user=key:ada'
    expect(handlesOf(await ask(gateway, sessionsPath + of, { admin }))).toEqual([body?.handle])
    const path = `${sessionsPath}/${body?.handle}${of}`
    expect((await ask(gateway, path, { method: 'DELETE', key: admin })).status).toBe(204)
    const refused = await ask(gateway, '/echo/x', { key: ada, session: String(body?.id) })
    expect(refused.status).toBe(401)
    const event = await gateway.waitForLog(({ action }) => action === 'end_sessions')
    expect(event).toMatchObject({ user: 'key:ada', sessions: [body?.handle], security: true })
  })

  it('tell a client nothing of others whom it names', async () => {
    for (const key of [ada, eve]) {
      const refused = await ask(gateway, `${sessionsPath}?user=key:ada`, { key })
      expect([refused.status, refused.body?.code]).toEqual([401, 'admin_key_required'])
    }
  })

  it('say so when the user is none', async () => {
    const refused = await ask(gateway, `${sessionsPath}?user=ada`, { admin })
    expect([refused.status, refused.body?.code]).toEqual([400, 'invalid_session_user'])
  })

  it('answer all methods, so that none reaches an upstream', async () => {
    const hits = provider.hits
    const put = await ask(gateway, sessionsPath, { method: 'PUT', key: ada })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD, DELETE'])
    const post = await ask(gateway, `${sessionsPath}/x`, { method: 'POST', key: ada })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, DELETE'])
    expect((await ask(gateway, sessionsPath, { method: 'HEAD', key: ada })).status).toBe(200)
    expect(provider.hits).toBe(hits)
    await ask(gateway, `${sessionsPath}/x/y`, { key: ada })
    expect(provider.hits).toBe(hits + 1)
  })

  it('let web pages of any origin in, in development, as routes do', async () => {
    const headers = { origin: 'https://app.example', 'user-agent': 'page' }
    const { headers: told } = await ask(gateway, sessionsPath, { key: ada, headers })
    expect(told.get('access-control-allow-origin')).toBe('*')
  })
})

describe('the log', () => {
  it('has refusals as security events, and no id anywhere', async () => {
    const { body } = await ask(gateway, sessionsPath, { method: 'POST', key: bob })
    const id = String(body?.id)
    await ask(gateway, '/echo/x', { key: bob, session: id })
    await ask(gateway, '/echo/x', { key: bob, session: 'second-secret' })
    for (let at = 0; at < 5; at += 1) {
      await ask(gateway, '/echo/x', { key: bob, session: `third-secret-${at}` })
    }
    const hit = await gateway.waitForLog(
      ({ event_type, user }) => event_type === 'limit_hit' && user === 'key:bob',
    )
    expect(hit).toMatchObject({ policy: 'sessions', limit: 2, active: 2, hits: 1, security: true })
    await ask(gateway, `${sessionsPath}/${id}`, { method: 'DELETE', key: bob })
    await ask(gateway, '/echo/x', { key: bob, session: id })
    const ended = await gateway.waitForLog(
      ({ event_type, session }) => event_type === 'access_denied' && session === body?.handle,
    )
    expect(ended).toMatchObject({ reason: 'session_ended', user: 'key:bob' })
    await gateway.waitForLog(({ path }) => path === `${sessionsPath}/{session}`)
    expect(gateway.stdout).not.toContain(id)
    expect(gateway.stdout).not.toMatch(/-secret/)
    const isHit = ({ event_type, user }: Readonly<Record<string, unknown>>): boolean =>
      event_type === 'limit_hit' && user === 'key:bob'
    expect(gateway.logs.filter(isHit)).toHaveLength(1)
    await endAll(bob)
  })
})

describe('a gateway that asks for no credential', () => {
  it('counts by address, and is configured by the variable alone', async () => {
    await using open = await startGateway({
      env: { MAX_CONCURRENT_SESSIONS: '1', BACKEND_SERVICE_URL: provider.url },
    })
    const created = await ask(open, sessionsPath, { method: 'POST' })
    expect([created.status, created.body?.user]).toEqual([201, 'ip:127.0.0.1'])
    const other = await ask(open, '/companion/echo/x', { session: 'other' })
    expect(other.status).toBe(429)
    expect((await ask(open, `${sessionsPath}?user=ip:127.0.0.1`)).status).toBe(200)
    expect((await ask(open, sessionsPath, { method: 'DELETE' })).status).toBe(200)
    expect((await ask(open, '/companion/echo/x', { session: 'other' })).status).toBe(200)
  })
})

describe('a gateway without sessions', () => {
  it('leaves the path and the header to its routes', async () => {
    await using plain = await startGateway({
      config: {
        version: 1,
        upstreams: { ai: { protocol: 'openai', endpoints: [{ url: provider.url }] } },
        routes: [{ match: '/**', upstreams: ['ai'] }],
      },
    })
    await ask(plain, sessionsPath, { session: 'theirs' }).catch(() => undefined)
    expect(provider.lastRequest.target).toBe(sessionsPath)
    expect(provider.lastRequest.header('x-session-id')).toBe('theirs')
  })
})
