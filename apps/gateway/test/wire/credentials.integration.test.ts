import { createHash } from 'node:crypto'
import {
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, post } from './http-text.ts'

let provider: Provider
let gateway: RunningGateway

const clientKey = 'client key: \u00fc/+= "quoted"'
const hashedKey = 'known-by-its-hash-alone'

beforeAll(async () => {
  provider = await startProvider()
  const at = (protocol: string, path: string, apiKey?: string) => ({
    protocol,
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url: `${provider.url}${path}`, ...(apiKey !== undefined && { apiKey }) }],
  })
  const under = (name: string, auth: string) => ({
    match: `/${name}-${auth}/**`,
    upstreams: [name],
    auth,
    stripPrefix: `/${name}-${auth}`,
  })
  const names = ['ai', 'claude', 'open', 'service', 'keyed']
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        ai: at('openai', '/v1', 'sk-of-the-gateway'),
        claude: at('anthropic', '/v1', 'sk-ant-of-the-gateway'),
        open: at('openai', '/v1'),
        service: at('http', ''),
        keyed: at('http', '', 'token-of-the-gateway'),
      },
      routes: [
        ...names.flatMap((name) =>
          ['required', 'optional', 'none'].map((auth) => under(name, auth)),
        ),
        { match: '/v1/messages', upstreams: ['claude'] },
        { match: '/**', upstreams: ['service'] },
      ],
      auth: {
        keys: [
          { id: 'plain', key: clientKey },
          { id: 'hashed', sha256: createHash('sha256').update(hashedKey).digest('hex') },
        ],
      },
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

async function ask(path: string, ...fields: readonly string[]) {
  const { response } = await rawRequest({ port: gateway.port, send: get(path, ...fields) })
  const seen = provider.requests.at(-1)
  const credentials = ['authorization', 'x-api-key', 'api-key'].flatMap((name) =>
    (seen?.headerValues(name) ?? []).map((value) => `${name}: ${value}`),
  )
  return { response, credentials, seen }
}

const theirs = ['Authorization: Bearer sk-of-the-client', 'X-Api-Key: other', 'api-key: third']
const known = `authorization: Bearer ${hashedKey}`

describe('the credential that reaches an upstream', () => {
  it.each([
    ['/ai-none/v1/echo', 'authorization: Bearer sk-of-the-gateway'],
    ['/claude-none/v1/echo', 'x-api-key: sk-ant-of-the-gateway'],
    ['/keyed-none/echo', 'authorization: Bearer token-of-the-gateway'],
  ])('is the endpoint’s own, in place of all that the client sent: %s', async (path, own) => {
    expect((await ask(path, ...theirs)).credentials).toEqual([own])
    expect((await ask(path)).credentials).toEqual([own])
  })

  it.each(['/open-none/v1/echo', '/service-none/echo'])(
    'is the client’s, where neither side of the gateway has one: %s',
    async (path) => {
      const { credentials } = await ask(path, ...theirs)
      expect(credentials).toEqual([
        'authorization: Bearer sk-of-the-client',
        'x-api-key: other',
        'api-key: third',
      ])
    },
  )

  it.each([
    ['/ai-required/v1/echo', ['authorization: Bearer sk-of-the-gateway']],
    ['/ai-optional/v1/echo', ['authorization: Bearer sk-of-the-gateway']],
    ['/service-required/echo', []],
    ['/service-optional/echo', []],
    ['/open-required/v1/echo', []],
  ])('is never the key that the gateway took for its own: %s', async (path, own) => {
    for (const header of [
      'authorization: Bearer',
      'Authorization: bEaReR ',
      'X-API-Key:',
      'api-key:',
    ]) {
      const { response, credentials } = await ask(path, `${header} ${hashedKey}`)
      expect(response.status).toBe(200)
      expect(credentials).toEqual(own)
    }
  })

  it('is never our key, wherever else the client repeated it', async () => {
    const { credentials } = await ask('/service-required/echo', known, `x-api-key: ${hashedKey}`)
    expect(credentials.join()).not.toContain(hashedKey)
  })

  it('may be a second one that is not ours', async () => {
    const { credentials } = await ask('/service-required/echo', known, 'x-api-key: of-the-service')
    expect(credentials).toEqual(['x-api-key: of-the-service'])
  })

  it('is never the operator’s', async () => {
    const { seen } = await ask('/service-none/echo', 'x-admin-key: the-admin-key')
    expect(seen?.header('x-admin-key')).toBeUndefined()
  })
})

describe('a key', () => {
  it('may have any characters, sent as UTF-8 or as Latin-1', async () => {
    for (const encoding of ['utf8', 'latin1'] as const) {
      const { response } = await rawRequest({
        port: gateway.port,
        send: Buffer.from(get('/service-required/echo', `x-api-key: ${clientKey}`), encoding),
      })
      expect(response.status).toBe(200)
    }
  })

  it('names its owner in the log, and no one else', async () => {
    const { response } = await ask('/service-required/echo', known)
    const line = await gateway.waitForLog(
      ({ request_id, message }) =>
        message === 'request' && request_id === response.header('x-request-id'),
    )
    expect(line.client).toBe('hashed')
  })

  it.each([
    ['nothing', []],
    ['an empty one', ['authorization: Bearer ']],
    ['another scheme', [`authorization: Basic ${hashedKey}`]],
    ['no scheme', [`authorization: ${hashedKey}`]],
    ['a wrong one', ['authorization: Bearer wrong']],
    ['another case', [`x-api-key: ${hashedKey.toUpperCase()}`]],
    ['a longer one', [`x-api-key: ${hashedKey}x`]],
    ['its hash', [`x-api-key: ${createHash('sha256').update(hashedKey).digest('hex')}`]],
    ['in a query', []],
    ['in a cookie', [`cookie: authorization=${hashedKey}`]],
    ['that is one of many in its header', [`x-api-key: ${hashedKey}, other`]],
    ['given twice', [`x-api-key: wrong`, `x-api-key: ${hashedKey}`]],
  ])('is none: %s', async (_, fields) => {
    const { response } = await ask(`/service-required/echo?api_key=${hashedKey}`, ...fields)
    expect(response.status).toBe(401)
    expect(response.header('www-authenticate')).toMatch(/^Bearer realm="tidegate"(, error=|$)/)
    expect(provider.hits).toBe(0)
  })

  it('that is wrong is refused also where none is needed', async () => {
    expect((await ask('/service-optional/echo')).response.status).toBe(200)
    expect((await ask('/service-optional/echo', 'x-api-key: wrong')).response.status).toBe(401)
  })
})

describe('a refusal', () => {
  it('has OpenAI’s form on routes of OpenAI’s protocol and of services', async () => {
    for (const path of ['/ai-required/v1/models', '/somewhere']) {
      const { response } = await ask(path)
      expect(JSON.parse(response.body.toString())).toMatchObject({
        status: 401,
        code: 'missing_api_key',
        instance: path,
        request_id: response.header('x-request-id'),
        error: {
          type: 'authentication_error',
          code: 'missing_api_key',
          message: expect.stringContaining('Authorization: Bearer'),
        },
      })
    }
  })

  it('has Anthropic’s form on its routes', async () => {
    const { response } = await rawRequest({
      port: gateway.port,
      send: post('/v1/messages', '{}', 'x-api-key: wrong'),
    })
    expect(response.status).toBe(401)
    expect(JSON.parse(response.body.toString())).toEqual({
      type: 'error',
      error: { type: 'authentication_error', message: expect.any(String) },
      request_id: response.header('x-request-id'),
    })
  })

  it('is a security event in the log', async () => {
    const { response } = await ask('/ai-required/v1/models', 'x-api-key: wrong')
    const event = await gateway.waitForLog(
      ({ request_id, message }) =>
        message !== 'request' && request_id === response.header('x-request-id'),
    )
    expect(JSON.stringify(event)).toContain('auth_failure')
    expect(event).toMatchObject({ reason: 'unknown', header: 'x-api-key', client_ip: '127.0.0.1' })
  })
})
