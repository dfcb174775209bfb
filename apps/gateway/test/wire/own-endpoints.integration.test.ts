import {
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { get, head, post } from './http-text.ts'

let provider: Provider
let development: RunningGateway
let production: RunningGateway
let keyed: RunningGateway

const adminKey = 'the-key-of-the-operators'
const guarded = ['/health/components', '/health/up', '/health/process', '/metrics', '/cache/stats']
const own = ['/metrics', '/metrics/x', '/dashboard', '/dashboard/login', '/dashboard/assets/app.js']

beforeAll(async () => {
  provider = await startProvider()
  const start = (profile: string, admin: Readonly<Record<string, string>> = {}) =>
    startGateway({
      config: {
        version: 1,
        server: { trustedProxies: ['127.0.0.2'] },
        admin,
        upstreams: {
          up: {
            protocol: 'http',
            retry: 'off',
            breaker: 'off',
            endpoints: [{ url: provider.url }],
          },
        },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
      env: { ENVIRONMENT: profile },
    })
  ;[development, production, keyed] = await Promise.all([
    start('development'),
    start('production'),
    start('development', { key: adminKey }),
  ])
})
afterAll(async () => {
  for (const each of [development, production, keyed, provider]) {
    await each[Symbol.asyncDispose]()
  }
})

const local = (path: string, ...fields: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, 'host: localhost:8000', ...fields, '', ''].join('\r\n')

async function ask(of: RunningGateway, text: string, from = '127.0.0.1') {
  const { response } = await rawRequest({ port: of.port, send: text, localAddress: from })
  return response
}

describe('health for everybody', () => {
  it('says that the process is alive, ready and healthy, and nothing about it', async () => {
    for (const of of [development, production, keyed]) {
      for (const [path, status] of [
        ['/livez', 'alive'],
        ['/readyz', 'ready'],
        ['/health', 'healthy'],
      ] as const) {
        const response = await ask(of, get(path))
        expect(response.status).toBe(200)
        expect(response.header('cache-control')).toBe('no-store')
        const answer = JSON.parse(response.body.toString())
        expect(answer.status).toBe(status)
        expect(response.body.toString()).not.toMatch(/127\.0\.0\.1|"up"/)
      }
    }
    expect(provider.hits).toBe(0)
  })

  it('never reaches an upstream, whatever the method or the spelling', async () => {
    for (const path of ['/livez', '/%6civez', '/health', '/readyz'])
      await ask(development, get(path))
    for (const path of ['/livez', '/readyz', '/health']) {
      for (const method of ['POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        const response = await ask(development, head(`${method} ${path}`))
        expect(response.status).toBe(405)
        expect(response.header('allow')).toBe('GET, HEAD')
      }
    }
    expect(provider.hits).toBe(0)
  })
})

describe('the admin surface', () => {
  it.each(guarded)('opens in development to this machine itself: %s', async (path) => {
    const response = await ask(development, local(path))
    expect([200, 501]).toContain(response.status)
  })

  it.each([
    ['through a proxy', ['x-forwarded-for: 127.0.0.1']],
    ['through a proxy of another kind', ['forwarded: for=127.0.0.1']],
    ['through a proxy that says its name', ['via: 1.1 proxy']],
    ['through a proxy that tells the real address', ['x-real-ip: 127.0.0.1']],
    ['for a page of another origin', ['origin: https://evil.test']],
    ['for a page without an origin', ['origin: null']],
    ['for a page whose name begins like ours', ['origin: http://localhost.evil.test']],
    ['for a page with our name as its user', ['origin: http://localhost@evil.test']],
  ])('stays shut in development %s', async (_, fields) => {
    for (const path of guarded) {
      expect((await ask(development, local(path, ...fields))).status).toBe(403)
    }
  })

  it.each(['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '10.0.0.1', '[::2]'])(
    'stays shut in development under a stranger’s name: %s',
    async (host) => {
      const response = await ask(
        development,
        `GET /health/components HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
      )
      expect(response.status).toBe(403)
    },
  )

  it('stays shut in production, to this machine too', async () => {
    for (const path of guarded) expect((await ask(production, local(path))).status).toBe(403)
  })

  it('opens to its key, from anywhere', async () => {
    const ways = [
      `x-admin-key: ${adminKey}`,
      `Authorization: Bearer ${adminKey}`,
      `authorization: bearer ${adminKey}`,
    ]
    for (const way of ways) {
      const fields = [way, 'x-forwarded-for: 203.0.113.7', 'host: evil.test']
      const text = ['GET /health/components HTTP/1.1', ...fields, '', ''].join('\r\n')
      expect((await ask(keyed, text, '127.0.0.9')).status).toBe(200)
    }
  })

  it.each([
    ['no key', []],
    ['a wrong key', ['x-admin-key: wrong']],
    ['an empty key', ['x-admin-key:']],
    ['another scheme', [`authorization: Basic ${adminKey}`]],
    ['a key in the query', []],
    ['two keys', ['x-admin-key: wrong', `x-admin-key: ${adminKey}`]],
    [
      'a wrong key beside the right one',
      ['x-admin-key: wrong', `authorization: Bearer ${adminKey}`],
    ],
  ])('with a key stays shut to %s, from this machine too', async (_, fields) => {
    for (const path of guarded) {
      const response = await ask(keyed, local(`${path}?x-admin-key=${adminKey}`, ...fields))
      expect(response.status).toBe(401)
      expect(response.header('www-authenticate')).toMatch(/^Bearer realm="tidegate admin"/)
      expect(JSON.parse(response.body.toString()).code).toBe('admin_key_required')
    }
  })

  it('writes refusals down as security events', async () => {
    await ask(keyed, local('/health/components', 'x-admin-key: wrong'))
    const event = await keyed.waitForLog(({ surface }) => surface === 'admin')
    expect(event).toMatchObject({ client_ip: '127.0.0.1' })
    expect(JSON.stringify(keyed.logs)).not.toContain(adminKey)
  })

  it('tells what it knows of a component, and of no other', async () => {
    const component = await ask(development, local('/health/up'))
    expect(JSON.parse(component.body.toString())).toMatchObject({ component: 'up', pending: 0 })
    for (const name of ['nothing', '__proto__', 'constructor', 'toString']) {
      const response = await ask(development, local(`/health/${name}`))
      expect(response.status).toBe(404)
    }
  })
})

describe('an endpoint of our own', () => {
  it.each(own)('is never an upstream’s: %s', async (path) => {
    const before = provider.hits
    for (const text of [local(path), post(path, '{}'), head(`DELETE ${path}`)]) {
      await ask(development, text)
    }
    expect(provider.hits).toBe(before)
  })

  it('takes no more than its own name', async () => {
    expect((await ask(development, get('/metrics-of-mine'))).status).toBe(404)
    expect(provider.lastRequest.target).toBe('/metrics-of-mine')
  })
})

describe('compression', () => {
  it('is for answers of ours that are worth it, and only if asked for', async () => {
    const asked = await ask(development, local('/health/components', 'accept-encoding: gzip'))
    const plain = await ask(development, local('/health/components'))
    expect(plain.header('content-encoding')).toBeUndefined()
    if (plain.body.length > 1024) expect(asked.header('content-encoding')).toBe('gzip')
    expect(asked.status).toBe(200)
  })
})
