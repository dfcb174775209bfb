import {
  hopByHopHeaders,
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get } from './http-text.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayIn('development', [])
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

async function gatewayIn(profile: string, trustedProxies: readonly string[]) {
  return await startGateway({
    config: {
      version: 1,
      server: { trustedProxies },
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
        { match: '/v1/**', upstreams: ['ai'], auth: 'none' },
        { match: '/**', upstreams: ['service'], auth: 'none' },
      ],
    },
    env: { ENVIRONMENT: profile },
  })
}

const spoofed = [
  ...['X-Forwarded-For: 6.6.6.6', 'x-forwarded-host: evil.test', 'x-forwarded-proto: https'],
  ...['x-forwarded-port: 666', 'x-forwarded-server: evil', 'x-forwarded-prefix: /evil'],
  ...['X-Forwarded-Anything: evil', 'Forwarded: for=6.6.6.6;host=evil.test', 'X-Real-IP: 6.6.6.6'],
]

/** Asks for `path` from an address of this machine: what the upstream saw, and what was logged. */
async function ask(
  of: RunningGateway,
  path: string,
  fields: readonly string[],
  from = '127.0.0.1',
) {
  const { response } = await rawRequest({
    port: of.port,
    localAddress: from,
    send: get(path, ...fields),
  })
  const id = response.header('x-request-id')
  const line = await of.waitForLog(
    ({ message, request_id }) => message === 'request' && request_id === id,
  )
  return { seen: provider.lastRequest, line, response }
}

describe('a stranger', () => {
  it.each(['/v1/echo', '/echo'])('speaks for nobody: %s', async (path) => {
    const { seen, line } = await ask(gateway, path, spoofed)
    const about = seen.rawHeaders.filter((name) => /forwarded|real-ip/i.test(name))
    expect(seen.rawHeaders.join('\n')).not.toMatch(/6\.6\.6\.6|evil|666/)
    expect(about).toEqual(
      path === '/echo' ? ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'] : [],
    )
    expect(line.client_ip).toBe('127.0.0.1')
  })

  it('is named to a service: address, scheme and host', async () => {
    const { seen } = await ask(gateway, '/echo', spoofed, '127.0.0.9')
    expect(seen.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.9',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'gateway.test',
    })
  })
})

describe('a trusted proxy', () => {
  let behind: RunningGateway

  beforeAll(async () => {
    behind = await gatewayIn('production', ['127.0.0.2', '10.0.0.0/8', '2001:db8:1::/48'])
  })
  afterAll(async () => await behind[Symbol.asyncDispose]())

  it.each([
    ['one entry', '203.0.113.7', '203.0.113.7'],
    ['what it did not see itself', '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['another trusted proxy', '203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['a trusted one in disguise', '203.0.113.7, ::ffff:10.1.2.3', '203.0.113.7'],
    ['a port', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6', '2001:db8:2::1', '2001:db8:2::1'],
    ['IPv6 written long', '2001:0DB8:0002:0000:0000:0000:0000:0001', '2001:db8:2::1'],
    ['IPv6 in brackets with a port', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
    ['IPv6 behind a trusted network', '2001:db8:2::1, 2001:db8:1::9', '2001:db8:2::1'],
    ['rubbish at the right', '203.0.113.7, unknown', '127.0.0.2'],
    ['rubbish on the way', 'unknown, 10.1.2.3', '10.1.2.3'],
    ['trusted ones alone', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['an octal octet', '0177.0.0.1', '127.0.0.2'],
    ['nothing', '', '127.0.0.2'],
  ])('speaks for a client: %s', async (_, forwardedFor, client) => {
    const fields = [`x-forwarded-for: ${forwardedFor}`, 'forwarded: for=6.6.6.6']
    const { seen, line } = await ask(behind, '/echo', fields, '127.0.0.2')
    expect(line.client_ip).toBe(client)
    expect(seen.headerValues('x-forwarded-for')).toEqual([client])
    expect(seen.header('forwarded')).toBeUndefined()
  })

  it('may say so in several lines', async () => {
    const fields = [
      'x-forwarded-for: 6.6.6.6',
      'X-Forwarded-For: 203.0.113.7',
      'x-forwarded-for: 10.1.1.1',
    ]
    const { line } = await ask(behind, '/echo', fields, '127.0.0.2')
    expect(line.client_ip).toBe('203.0.113.7')
  })

  it('says how the client reached it', async () => {
    const fields = ['x-forwarded-proto: https', 'x-forwarded-host: www.example.test']
    const { seen } = await ask(behind, '/echo', fields, '127.0.0.2')
    expect(seen.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.example.test',
    })
  })

  it('names requests, as loopback does; what names it badly is named anew', async () => {
    const proxied = await ask(behind, '/echo', ['x-request-id: from-the-proxy_1.2'], '127.0.0.2')
    expect(proxied.seen.headerValues('x-request-id')).toEqual(['from-the-proxy_1.2'])
    expect(proxied.response.header('x-request-id')).toBe('from-the-proxy_1.2')
    for (const bad of ['a b', 'a'.repeat(129), '<script>', 'a/b', 'a,b', '']) {
      const { seen, response } = await ask(behind, '/echo', [`x-request-id: ${bad}`], '127.0.0.2')
      expect(response.header('x-request-id')).toMatch(/^req_[A-Za-z0-9]{22}$/)
      expect(seen.headerValues('x-request-id')).toEqual([response.header('x-request-id')])
    }
  })

  it('names a request once: two ids are none', async () => {
    const fields = ['x-request-id: one', 'x-request-id: two']
    const { seen, response } = await ask(behind, '/echo', fields, '127.0.0.2')
    expect(response.header('x-request-id')).toMatch(/^req_/)
    expect(seen.headerValues('x-request-id')).toHaveLength(1)
  })

  it('is not whoever else comes', async () => {
    const { line } = await ask(behind, '/echo', ['x-forwarded-for: 203.0.113.7'], '127.0.0.3')
    expect(line.client_ip).toBe('127.0.0.3')
  })
})

describe('hop-by-hop headers', () => {
  it('of a request stay here', async () => {
    const fields = [
      'connection: keep-alive, X-Listed, te',
      ...['x-listed: 1', 'X-LISTED: 2', 'keep-alive: timeout=5', 'proxy-connection: keep-alive'],
      ...['proxy-authorization: Basic c2VjcmV0', 'te: trailers', 'trailer: x-t', 'upgrade: h2c'],
      ...['proxy-authenticate: Basic', 'expect: 100-continue', 'x-kept: yes'],
    ]
    const { seen } = await ask(gateway, '/echo', fields)
    expect(seen.rawHeaders.filter((_, index) => index % 2 === 0)).toEqual([
      ...['host', 'connection', 'x-kept', 'x-request-id'],
      ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
    ])
    expect(seen.header('connection')).toBe('keep-alive')
  })

  it('can not make ours disappear by being listed', async () => {
    const fields = [
      'connection: x-request-id, x-forwarded-for, host, content-length, authorization',
    ]
    const { seen } = await ask(gateway, '/echo', fields)
    expect(seen.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1' })
    expect(seen.header('x-request-id')).toBeDefined()
    expect(seen.header('host')).toBe(`127.0.0.1:${provider.port}`)
  })

  it('of a response stay here', async () => {
    provider.next({ headers: { ...hopByHopHeaders, 'x-kept': 'yes' } })
    const { response } = await ask(gateway, '/echo', [])
    for (const name of Object.keys(hopByHopHeaders)) {
      if (name !== 'connection' && name !== 'keep-alive') {
        expect([name, response.header(name)]).toEqual([name, undefined])
      }
    }
    expect(response.header('connection')).toBe('keep-alive')
    expect(response.header('keep-alive')).toBe('timeout=65')
    expect(response.header('x-kept')).toBe('yes')
  })
})
