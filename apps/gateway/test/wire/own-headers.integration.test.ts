import {
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, head, post } from './http-text.ts'

let provider: Provider
let development: RunningGateway
let production: RunningGateway

const origin = 'https://app.example.com'

beforeAll(async () => {
  provider = await startProvider()
  const start = (profile: string, origins: readonly string[]) =>
    startGateway({
      config: {
        version: 1,
        server: { cors: { origins } },
        upstreams: {
          ai: {
            protocol: 'openai',
            retry: 'off',
            breaker: 'off',
            endpoints: [{ url: `${provider.url}/v1` }],
          },
          service: {
            protocol: 'http',
            retry: 'off',
            breaker: 'off',
            endpoints: [{ url: provider.url }],
          },
        },
        routes: [
          { match: '/v1/**', upstreams: ['ai'] },
          { match: '/**', upstreams: ['service'], auth: 'none' },
        ],
        auth: { keys: [{ id: 'app', key: 'the-key-of-the-app' }] },
      },
      env: { ENVIRONMENT: profile },
    })
  ;[development, production] = await Promise.all([
    start('development', []),
    start('production', [origin]),
  ])
})
afterAll(async () => {
  await development[Symbol.asyncDispose]()
  await production[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

const key = 'authorization: Bearer the-key-of-the-app'

async function ask(of: RunningGateway, text: string) {
  const { response } = await rawRequest({ port: of.port, send: text })
  return response
}

describe('headers of ours on a proxied response', () => {
  it('tell the id, the time, the upstream and the attempts', async () => {
    const response = await ask(development, get('/v1/models', key))
    expect(response.headers.get('x-request-id')).toHaveLength(1)
    expect(response.header('x-request-id')).toMatch(/^req_[A-Za-z0-9]{22}$/)
    expect(response.header('server-timing')).toMatch(
      /^gateway;dur=\d+\.\d\d, upstream;dur=\d+\.\d\d$/,
    )
    expect(response.header('x-response-time')).toMatch(/^\d+\.\d\dms$/)
    expect(response.header('x-tidegate-upstream')).toBe('ai')
    expect(response.header('x-tidegate-attempts')).toBe('1')
    expect(provider.lastRequest.header('x-request-id')).toBe(response.header('x-request-id'))
  })

  it('rename those of the upstream that could be taken for ours', async () => {
    provider.next({
      headers: { 'x-response-time': '1ms', 'x-tidegate-attempts': '9', 'x-tidegate-cache': 'hit' },
    })
    const response = await ask(development, get('/v1/models', key))
    expect(response.header('x-tidegate-upstream-request-id')).toMatch(/^req_0_/)
    expect(response.header('x-tidegate-upstream-response-time')).toBe('1ms')
    expect(response.header('x-tidegate-upstream-ratelimit-limit-requests')).toBe('500')
    expect(response.header('x-ratelimit-limit-requests')).toBeUndefined()
    expect(response.headers.get('x-tidegate-attempts')).toEqual(['1'])
    expect(response.header('x-tidegate-cache')).toBeUndefined()
    expect(response.header('alt-svc')).toBeUndefined()
    expect(response.header('openai-organization')).toBe('org-testkit')
  })

  it('stand beside an upstream’s own timing', async () => {
    provider.next({ headers: { 'server-timing': 'db;dur=5' } })
    const response = await ask(development, get('/v1/models', key))
    expect(response.headers.get('server-timing')?.join(', ')).toMatch(/db;dur=5.*gateway;dur=/)
  })

  it('are on every answer of the gateway itself', async () => {
    for (const text of [
      get('/livez'),
      get('/v1/models'),
      get('/../x'),
      head('TRACE /x'),
      get('/metrics'),
    ]) {
      const response = await ask(development, text)
      expect(response.headers.get('x-request-id')).toHaveLength(1)
      expect(response.header('server-timing')).toMatch(/^gateway;dur=/)
      expect(response.header('x-response-time')).toMatch(/ms$/)
    }
  })
})

describe('security headers', () => {
  const names = [
    ...['x-content-type-options', 'x-frame-options', 'x-xss-protection'],
    ...['strict-transport-security', 'referrer-policy'],
  ]

  it('are on every answer in production', async () => {
    for (const text of [
      get('/livez'),
      get('/v1/models'),
      get('/v1/models', key),
      post('/v1/echo', '{}', key),
      get('/../x'),
    ]) {
      const response = await ask(production, text)
      expect(names.map((name) => [name, response.headers.get(name)?.length])).toEqual(
        names.map((name) => [name, 1]),
      )
      expect(response.header('x-frame-options')).toBe('DENY')
      expect(response.header('x-content-type-options')).toBe('nosniff')
    }
  })

  it('are the upstream’s own where it has them', async () => {
    provider.next({
      headers: { 'x-frame-options': 'SAMEORIGIN', 'referrer-policy': 'no-referrer' },
    })
    const response = await ask(production, get('/page'))
    expect(response.headers.get('x-frame-options')).toEqual(['SAMEORIGIN'])
    expect(response.headers.get('referrer-policy')).toEqual(['no-referrer'])
    expect(response.header('strict-transport-security')).toContain('preload')
  })

  it('are not on answers in development', async () => {
    const response = await ask(development, get('/livez'))
    expect(names.filter((name) => response.header(name) !== undefined)).toEqual([])
  })
})

describe('a page of another origin', () => {
  const from = (value: string) => `origin: ${value}`

  it('may read any answer in development', async () => {
    const response = await ask(development, get('/v1/models', key, from('https://any.test')))
    expect(response.headers.get('access-control-allow-origin')).toEqual(['*'])
    expect(response.header('access-control-expose-headers')).not.toBe('X-Request-ID')
  })

  it('may read answers in production if it is listed', async () => {
    const listed = await ask(production, get('/v1/models', key, from(origin)))
    expect(listed.headers.get('access-control-allow-origin')).toEqual([origin])
    expect(listed.headers.get('vary')?.join(', ').toLowerCase()).toContain('origin')
  })

  it.each([
    'https://evil.test',
    'https://app.example.com.evil.test',
    'https://evil-app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'null',
    '*',
  ])('may not read them in production if it is not: %s', async (stranger) => {
    const response = await ask(production, get('/v1/models', key, from(stranger)))
    expect(response.status).toBe(200)
    expect(response.header('access-control-allow-origin')).toBeUndefined()
    expect(response.header('access-control-expose-headers')).toBeUndefined()
    expect(response.headers.get('vary')?.join(', ').toLowerCase()).toContain('origin')
  })

  it('may read refusals too', async () => {
    const response = await ask(production, get('/v1/models', from(origin)))
    expect(response.status).toBe(401)
    expect(response.header('access-control-allow-origin')).toBe(origin)
  })

  it('asks first, and is answered without a key and without the upstream', async () => {
    const preflight = (asking: string) =>
      head(
        'OPTIONS /v1/chat/completions',
        from(asking),
        'access-control-request-method: POST',
        'access-control-request-headers: authorization, content-type, x-odd',
      )
    const any = await ask(development, preflight('https://any.test'))
    expect(any.status).toBe(204)
    expect(any.header('access-control-allow-origin')).toBe('*')
    expect(any.header('access-control-allow-methods')).toContain('POST')
    expect(any.header('access-control-allow-headers')).toContain('x-odd')
    const listed = await ask(production, preflight(origin))
    expect(listed.status).toBe(204)
    expect(listed.header('access-control-allow-origin')).toBe(origin)
    expect(listed.header('access-control-allow-headers')).toContain('authorization')
    expect(listed.header('access-control-allow-headers')).not.toContain('x-odd')
    const stranger = await ask(production, preflight('https://evil.test'))
    expect(stranger.header('access-control-allow-origin')).toBeUndefined()
    expect(stranger.header('access-control-allow-methods')).toBeUndefined()
    expect(provider.hits).toBe(0)
  })

  it('never reads an endpoint of ours', async () => {
    for (const path of ['/health', '/health/process', '/readyz', '/metrics']) {
      const response = await ask(development, get(path, from('https://any.test')))
      expect(response.header('access-control-allow-origin')).toBeUndefined()
    }
  })

  it('is passed on where it is no preflight', async () => {
    const response = await ask(development, head('OPTIONS /v1/echo', key, from('https://any.test')))
    expect(response.status).toBe(200)
    expect(provider.lastRequest.method).toBe('OPTIONS')
  })
})
