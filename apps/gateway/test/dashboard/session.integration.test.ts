import { Secret } from '@tidegate/config'
import {
  type HttpResponseMessage,
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OperatorSessions } from '../../src/dashboard/operator-sessions.ts'

const adminKey = 'CANARY-key-of-the-operators'
const guarded = ['/health/components', '/health/failures', '/metrics', '/cache/stats']

let provider: Provider
let keyed: RunningGateway
let open: RunningGateway
let production: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  const start = (profile: string, admin: Readonly<Record<string, string>> = {}) =>
    startGateway({
      config: {
        version: 1,
        server: { trustedProxies: ['127.0.0.2'] },
        admin,
        auth: { guard: { failures: '5/1m', block: '1m' } },
        upstreams: { up: { protocol: 'http', endpoints: [{ url: provider.url }] } },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
      env: { ENVIRONMENT: profile },
    })
  ;[keyed, open, production] = await Promise.all([
    start('development', { key: adminKey }),
    start('development'),
    start('production'),
  ])
})
afterAll(async () => {
  for (const each of [keyed, open, production, provider]) await each?.[Symbol.asyncDispose]()
})

interface Sent {
  readonly of?: RunningGateway
  readonly from?: string
  readonly body?: string
  readonly fields?: readonly string[]
}

async function ask(method: string, path: string, sent: Sent = {}): Promise<HttpResponseMessage> {
  const { of = keyed, from: localAddress = '127.0.0.1', body, fields = [] } = sent
  const form = 'content-type: application/x-www-form-urlencoded'
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  const typed = body === undefined || fields.some((field) => field.startsWith('content-type'))
  const lines = ['host: localhost:8000', ...(typed ? [] : [form]), ...length, ...fields]
  const send = [`${method} ${path} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n')
  return (await rawRequest({ port: of.port, send, localAddress })).response
}

const login = (sent: Sent = {}) =>
  ask('POST', '/dashboard/login', { body: `key=${adminKey}`, ...sent })

/** The token in a `Set-Cookie` header. */
function tokenOf(response: HttpResponseMessage): string {
  return /^tidegate_session=([^;]*)/.exec(response.header('set-cookie') ?? '')?.[1] ?? ''
}

const cookie = (token: string) => `cookie: theme=dark; tidegate_session=${token}`
const json = (response: HttpResponseMessage) => JSON.parse(response.body.toString())

async function begun(): Promise<string> {
  return cookie(tokenOf(await login()))
}

describe('logging in', () => {
  it('takes the admin key, and gives a cookie that no script and no other site can use', async () => {
    const response = await login()
    expect(response.status).toBe(204)
    expect(response.header('cache-control')).toBe('no-store')
    expect(response.header('set-cookie')).toMatch(
      /^tidegate_session=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    expect(response.header('set-cookie')).not.toContain(adminKey)
  })

  it('marks the cookie as one for TLS where a trusted proxy says so, and nobody else', async () => {
    const https = ['x-forwarded-proto: https']
    const proxied = await login({ from: '127.0.0.2', fields: https })
    expect(proxied.header('set-cookie')).toMatch(/; Secure$/)
    expect((await login({ fields: https })).header('set-cookie')).not.toContain('Secure')
  })

  it.each([
    ['a wrong key', 'key=wrong', [], 401],
    ['an empty key', 'key=', [], 401],
    ['no key', 'other=1', [], 400],
    ['a key in JSON', `{"key":"${adminKey}"}`, ['content-type: application/json'], 415],
    ['a form that is too long', `key=${'x'.repeat(20_000)}`, [], 413],
    ['a page of another site', `key=${adminKey}`, ['sec-fetch-site: cross-site'], 403],
    [
      'a page of another name of this domain',
      `key=${adminKey}`,
      ['sec-fetch-site: same-site'],
      403,
    ],
    ['a page of another origin', `key=${adminKey}`, ['origin: https://evil.test'], 403],
    ['a page of no origin', `key=${adminKey}`, ['origin: null'], 403],
  ])('refuses %s', async (_, body, fields, status) => {
    const response = await login({ body, fields })
    expect(response.status).toBe(status)
    expect(response.header('set-cookie')).toBeUndefined()
    expect(response.body.toString()).not.toContain(adminKey)
  })

  it('takes it from its own page, behind a proxy too', async () => {
    for (const fields of [
      ['sec-fetch-site: same-origin', 'origin: https://gateway.example'],
      ['origin: http://localhost:8000'],
    ]) {
      expect((await login({ fields })).status).toBe(204)
    }
    const fields = ['origin: https://gateway.example', 'x-forwarded-host: gateway.example']
    expect((await login({ fields })).status).toBe(403)
    expect((await login({ fields, from: '127.0.0.2' })).status).toBe(204)
  })

  it('ends for a network that guesses, at the admin key’s guard', async () => {
    const from = '127.0.0.77'
    const session = await begun()
    for (let at = 0; at < 5; at += 1) {
      expect((await login({ from, body: `key=guess-${at}` })).status).toBe(401)
    }
    const right = await login({ from })
    expect(right.status).toBe(429)
    expect(Number(right.header('retry-after'))).toBeGreaterThan(0)
    const header = await ask('GET', '/metrics', { from, fields: [`x-admin-key: ${adminKey}`] })
    expect(header.status).toBe(429)
    // A session is no guess.
    expect((await ask('GET', '/health/process', { from, fields: [session] })).status).toBe(200)
    expect((await login()).status).toBe(204)
  })

  it('is written down, without the key', async () => {
    await login()
    await keyed.waitForLog(({ action }) => action === 'login')
    expect(keyed.stdout).not.toContain(adminKey)
  })
})

describe('a session', () => {
  it('reads what the admin key reads', async () => {
    const fields = [await begun()]
    for (const path of guarded) {
      expect((await ask('GET', path)).status, path).toBe(401)
      expect((await ask('GET', path, { fields })).status, path).toBe(200)
      expect((await ask('HEAD', path, { fields })).status, path).toBe(200)
    }
  })

  it('changes nothing', async () => {
    const fields = [await begun(), 'sec-fetch-site: same-origin']
    for (const [method, path] of [
      ['DELETE', '/cache'],
      ['POST', '/cache/warm'],
      ['POST', '/metrics'],
      ['PUT', '/health/process'],
      ['OPTIONS', '/metrics'],
    ] as const) {
      expect((await ask(method, path, { fields, body: '[]' })).status, path).toBe(401)
    }
  })

  it.each(['cross-site', 'same-site'])('is not one for a page elsewhere: %s', async (site) => {
    const fields = [await begun(), `sec-fetch-site: ${site}`]
    expect((await ask('GET', '/metrics', { fields })).status).toBe(401)
    const told = await ask('GET', '/dashboard/session', { fields })
    expect(json(told)).toEqual({ authenticated: false, csrf: null })
  })

  it('can be neither forged, nor prolonged, nor brought from a gateway with another key', async () => {
    const long = 24 * 3_600_000
    const other = new OperatorSessions(new Secret('another key'))
    const past = new OperatorSessions(new Secret(adminKey), () => Date.now() - long)
    const expired = await past.begin()
    const later = (Math.floor(Date.now() / 1000) + 999_999).toString(36)
    const prolonged = [later, ...expired.split('.').slice(1)].join('.')
    for (const token of [await other.begin(), expired, prolonged, 'a.b.c', adminKey, '']) {
      const fields = [cookie(token)]
      expect((await ask('GET', '/health/components', { fields })).status).toBe(401)
      expect(json(await ask('GET', '/dashboard/session', { fields })).authenticated).toBe(false)
    }
  })

  it('is taken by every gateway with the same key', async () => {
    const elsewhere = new OperatorSessions(new Secret(adminKey))
    const fields = [cookie(await elsewhere.begin())]
    expect((await ask('GET', '/health/components', { fields })).status).toBe(200)
  })

  it('doesn’t make up for a wrong key', async () => {
    const fields = [await begun(), 'x-admin-key: wrong']
    expect((await ask('GET', '/health/components', { fields })).status).toBe(401)
  })

  it('never goes on to an upstream, unlike other cookies', async () => {
    const fields = [await begun()]
    expect((await ask('GET', '/elsewhere', { fields })).status).toBe(404)
    expect(provider.lastRequest.headers.cookie).toBe('theme=dark')
    const alone = fields.map((field) => field.replace('theme=dark; ', ''))
    expect((await ask('GET', '/elsewhere', { fields: alone })).status).toBe(404)
    expect(provider.lastRequest.headers.cookie).toBeUndefined()
  })
})

describe('logging out', () => {
  it('ends the session, for the page that has its token', async () => {
    const session = await begun()
    const told = json(await ask('GET', '/dashboard/session', { fields: [session] }))
    expect(told).toMatchObject({ authenticated: true, csrf: expect.any(String) })
    const ended = await ask('POST', '/dashboard/logout', {
      fields: [session, `x-csrf-token: ${told.csrf}`],
    })
    expect(ended.status).toBe(204)
    expect(ended.header('set-cookie')).toMatch(/^tidegate_session=; Path=\/; Max-Age=0;/)
    expect((await ask('GET', '/metrics', { fields: [session] })).status).toBe(401)
  })

  it.each([
    ['without the token', []],
    ['with a wrong one', ['x-csrf-token: wrong']],
    ['with two', ['x-csrf-token: a', 'x-csrf-token: b']],
    ['from elsewhere', ['sec-fetch-site: same-site']],
  ])('is refused %s', async (_, fields) => {
    const session = await begun()
    expect((await ask('POST', '/dashboard/logout', { fields: [session, ...fields] })).status).toBe(
      403,
    )
    expect((await ask('GET', '/health/process', { fields: [session] })).status).toBe(200)
  })

  it('is refused with the token of another session', async () => {
    const [one, other] = [await begun(), await begun()]
    const { csrf } = json(await ask('GET', '/dashboard/session', { fields: [one] }))
    const fields = [other, `x-csrf-token: ${csrf}`]
    expect((await ask('POST', '/dashboard/logout', { fields })).status).toBe(403)
  })
})

describe('without an admin key', () => {
  it('nobody on this machine has to log in, in development', async () => {
    const page = await ask('GET', '/dashboard', { of: open })
    expect(page.status).toBe(200)
    const told = await ask('GET', '/dashboard/session', { of: open })
    expect(json(told)).toEqual({ authenticated: true, csrf: null })
    expect((await login({ of: open })).status).toBe(404)
    expect((await ask('POST', '/dashboard/logout', { of: open })).status).toBe(204)
  })

  it.each([
    ['of another name', ['host: evil.test']],
    ['through a proxy', ['host: localhost', 'x-forwarded-for: 127.0.0.1']],
    ['of another origin', ['host: localhost', 'origin: https://evil.test']],
    ['that is part of another site', ['host: localhost', 'sec-fetch-site: cross-site']],
  ])('a stranger sees not even the page: one %s', async (_, fields) => {
    for (const path of ['/dashboard', '/dashboard/session', '/dashboard/assets/x.js']) {
      const send = [`GET ${path} HTTP/1.1`, ...fields, '', ''].join('\r\n')
      const { response } = await rawRequest({ port: open.port, send })
      expect(response.status).toBe(403)
    }
  })

  it('a link on another site leads here', async () => {
    const fields = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate']
    expect((await ask('GET', '/dashboard', { of: open, fields })).status).toBe(200)
  })

  it('nobody sees anything in production', async () => {
    for (const path of ['/dashboard', '/dashboard/session']) {
      const response = await ask('GET', path, { of: production })
      expect(response.status).toBe(403)
      expect(json(response).code).toBe('admin_disabled')
    }
    const session = cookie(await new OperatorSessions(new Secret('')).begin())
    expect((await ask('GET', '/metrics', { of: production, fields: [session] })).status).toBe(403)
  })
})

describe('the page', () => {
  const paths = async (): Promise<string[]> => {
    const { body } = await ask('GET', '/dashboard')
    return [...body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
  }

  it('is asked for anew each time, and kept while it is the same', async () => {
    for (const path of ['/dashboard', '/dashboard/', '/dashboard/index.html']) {
      const page = await ask('GET', path)
      expect(page.status, path).toBe(200)
      expect(page.header('content-type')).toBe('text/html; charset=utf-8')
      expect(page.header('cache-control')).toBe('no-cache')
      const same = await ask('GET', path, {
        fields: [`if-none-match: "x", W/${page.header('etag')}`],
      })
      expect([same.status, same.body.length]).toEqual([304, 0])
    }
  })

  it('loads only files of its own, which are kept for ever', async () => {
    const found = await paths()
    expect(found).toHaveLength(3)
    for (const path of found) {
      expect(path).toMatch(/^\/dashboard\/assets\/[\w.-]+\.(?:js|css|svg)$/)
      const file = await ask('GET', path)
      expect([file.status, file.header('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ])
      expect(file.header('content-type')).toMatch(/^(?:text\/(?:javascript|css)|image\/svg)/)
    }
  })

  it('comes with the policy that it lives by', async () => {
    for (const path of ['/dashboard', ...(await paths())]) {
      const file = await ask('GET', path)
      expect(file.header('content-security-policy')).toContain(
        "default-src 'none'; script-src 'self'",
      )
      expect(file.header('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(file.header('x-content-type-options')).toBe('nosniff')
      expect(file.header('x-frame-options')).toBe('DENY')
    }
  })

  it('is compressed as the browser accepts', async () => {
    const [script = ''] = (await paths()).filter((path) => path.endsWith('.js'))
    const plain = await ask('GET', script)
    expect(plain.header('content-encoding')).toBeUndefined()
    expect(plain.header('vary')).toBe('accept-encoding')
    const tags = new Set([plain.header('etag')])
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
    ]) {
      const packed = await ask('GET', script, { fields: [`accept-encoding: ${accepted}`] })
      expect(packed.header('content-encoding')).toBe(encoding)
      expect(packed.body.length).toBeLessThan(plain.body.length / 2)
      tags.add(packed.header('etag'))
    }
    expect(tags.size).toBe(3)
  })

  it('holds nothing else, whatever is asked for', async () => {
    for (const path of [
      ...['/dashboard/nothing', '/dashboard/assets/', '/dashboard/index.html.br'],
      ...['/dashboard/../package.json', '/dashboard/%2e%2e/cli.js', '/dashboard/..%2fcli.js'],
      ...['/dashboard/assets/..%5c..%5ccli.js', '/dashboard/__proto__', '/dashboard/constructor'],
    ]) {
      expect([400, 404], path).toContain((await ask('GET', path)).status)
    }
    expect((await ask('POST', '/dashboard', { body: '' })).status).toBe(405)
    expect((await ask('GET', '/dashboard/login')).status).toBe(405)
    expect((await ask('PUT', '/dashboard/session')).status).toBe(405)
  })

  it('is answered for HEAD with its length', async () => {
    const [page, headOnly] = [await ask('GET', '/dashboard'), await ask('HEAD', '/dashboard')]
    expect(headOnly.status).toBe(200)
    expect(headOnly.header('content-length')).toBe(String(page.body.length))
    expect(headOnly.body.length).toBe(0)
  })
})
