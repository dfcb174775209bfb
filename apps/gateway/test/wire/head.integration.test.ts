import { type RawUpstream, type RunningGateway, rawRequest, rawUpstream } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { get, head } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let upstream: RawUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await rawUpstream()
  gateway = await gatewayTo(upstream.url)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** Sends bytes that must be refused with one answer, and never reach the upstream. */
async function refused(bytes: string | Uint8Array) {
  const before = upstream.requests.length
  const { responses, response, ended } = await rawRequest({
    port: gateway.port,
    send: bytes,
    responses: 2,
  })
  expect(responses).toHaveLength(1)
  expect(ended).toBe('closed')
  expect(upstream.requests).toHaveLength(before)
  expect(JSON.parse(response.body.toString())).toMatchObject({
    status: response.status,
    request_id: response.header('x-request-id'),
    error: { type: 'invalid_request_error' },
  })
  return response
}

describe('a head too large', () => {
  it.each([
    ['one header', get('/', `x-large: ${'a'.repeat(20_000)}`)],
    ['many headers', get('/', ...Array.from({ length: 1500 }, (_, i) => `x-number-${i}: ${i}`))],
    ['the target', get(`/?q=${'a'.repeat(20_000)}`)],
    ['a header without an end', `GET / HTTP/1.1\r\nhost: gateway.test\r\nx: ${'a'.repeat(40_000)}`],
  ])('is refused with 431: %s', async (_, bytes) => {
    expect((await refused(bytes)).status).toBe(431)
  })

  it('leaves room for what real clients send', async () => {
    const fields = Array.from({ length: 200 }, (_, i) => `x-number-${i}: ${'v'.repeat(50)}`)
    const { response } = await rawRequest({ port: gateway.port, send: get('/many', ...fields) })
    expect(response.status).toBe(200)
    const request = upstream.requests.find(({ startLine }) => startLine.startsWith('GET /many '))
    const passed = request?.rawHeaders.filter(([name]) => name.startsWith('x-number-'))
    expect(passed?.map(([name, value]) => `${name}: ${value}`)).toEqual(fields)
  })
})

describe('a head that could say two things', () => {
  it.each([
    ['a carriage return in a value', get('/', 'x-a: b\rx-injected: 1')],
    ['a line feed in a value', get('/', 'x-a: b\nx-injected: 1')],
    ['a NUL in a value', get('/', 'x-a: b\0c')],
    ['a control character in a value', get('/', 'x-a: b\u0001c')],
    ['a NUL in a name', get('/', 'x\0a: b')],
    ['a folded line', get('/', 'x-a: b', ' x-injected: 1')],
    ['a line folded by a tab', get('/', 'x-a: b', '\tx-injected: 1')],
    ['a blank before the colon', get('/', 'x-a : b')],
    ['a tab before the colon', get('/', 'x-a\t: b')],
    ['no colon', get('/', 'x-a')],
    ['no name', get('/', ': b')],
    ['a name of more than token characters', get('/', 'x(a): b')],
    ['a name outside ASCII', get('/', 'x-\u00e4: b')],
    ['bare line feeds', 'GET / HTTP/1.1\nhost: gateway.test\n\n'],
    ['a blank line of one carriage return', 'GET / HTTP/1.1\r\nhost: gateway.test\r\n\r\r\n'],
    ['a blank in the target', 'GET /a b HTTP/1.1\r\nhost: gateway.test\r\n\r\n'],
    ['a tab after the method', 'GET\t/ HTTP/1.1\r\nhost: gateway.test\r\n\r\n'],
    ['a method in lower case', 'get / HTTP/1.1\r\nhost: gateway.test\r\n\r\n'],
    ['a method that is none', 'G(T / HTTP/1.1\r\nhost: gateway.test\r\n\r\n'],
    ['no version', 'GET /\r\nhost: gateway.test\r\n\r\n'],
    ['no version and no header', 'GET /\r\n\r\n'],
    ['a version that is none', 'GET / HTTP/1.2\r\nhost: gateway.test\r\n\r\n'],
    ['HTTP/2 spoken at once', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS spoken to a plain port', Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 1)],
  ])('is refused: %s', async (_, bytes) => {
    expect((await refused(bytes)).status).toBe(400)
  })

  it('passes values outside ASCII byte for byte', async () => {
    const value = Buffer.from([0x78, 0x3a, 0x20, 0xe4, 0xc3, 0xa4, 0xff])
    const request = Buffer.concat([
      Buffer.from('GET /bytes HTTP/1.1\r\nhost: gateway.test\r\n'),
      value,
      Buffer.from('\r\n\r\n'),
    ])
    const { response } = await rawRequest({ port: gateway.port, send: request })
    expect(response.status).toBe(200)
    expect(upstream.received.includes(value)).toBe(true)
  })
})

describe('Host', () => {
  const line = 'GET /host HTTP/1.1\r\n'

  it.each([
    ['none', `${line}\r\n`],
    ['an empty one', `${line}host:\r\n\r\n`],
    ['two', `${line}host: gateway.test\r\nhost: other.test\r\n\r\n`],
    ['the same twice', `${line}host: gateway.test\r\nHost: gateway.test\r\n\r\n`],
    ['a user', `${line}host: user@gateway.test\r\n\r\n`],
    ['a path', `${line}host: gateway.test/path\r\n\r\n`],
    ['a scheme', `${line}host: http://gateway.test\r\n\r\n`],
    ['two names', `${line}host: gateway.test, other.test\r\n\r\n`],
    ['a blank', `${line}host: gateway test\r\n\r\n`],
    ['a port of letters', `${line}host: gateway.test:http\r\n\r\n`],
    ['an open bracket', `${line}host: [::1\r\n\r\n`],
    ['a percent', `${line}host: gate%00way\r\n\r\n`],
    ['a fragment', `${line}host: gateway.test#x\r\n\r\n`],
    ['a query', `${line}host: gateway.test?x\r\n\r\n`],
    ['a backslash', `${line}host: gateway.test\\x\r\n\r\n`],
  ])('that is wrong is refused: %s', async (_, bytes) => {
    const before = upstream.requests.length
    const { response } = await rawRequest({ port: gateway.port, send: bytes })
    expect(response.status).toBe(400)
    expect(upstream.requests).toHaveLength(before)
  })

  it.each(['gateway.test', 'gateway.test:8000', '[::1]:8000', '127.0.0.1'])(
    'never reaches the upstream: "%s"',
    async (host) => {
      const { response } = await rawRequest({
        port: gateway.port,
        send: `${line}Host: ${host}\r\nx-from: ${host}\r\n\r\n`,
      })
      expect(response.status).toBe(200)
      expect(upstream.requests.at(-1)?.headers.get('host')).toEqual([`127.0.0.1:${upstream.port}`])
    },
  )

  it('is wanted of HTTP/1.1 alone', async () => {
    const { response } = await rawRequest({
      port: gateway.port,
      send: 'GET /old HTTP/1.0\r\n\r\n',
    })
    expect(response.status).toBe(200)
    expect(upstream.requests.at(-1)?.headers.has('x-forwarded-host')).toBe(false)
  })
})

describe('a refused head', () => {
  it('costs its connection and no other', async () => {
    await refused(get('/', 'x-a : b'))
    const { responses } = await rawRequest({
      port: gateway.port,
      send: get('/fine') + get('/fine') + head('GET /bad', 'x-a : b') + get('/after'),
      responses: 4,
    })
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 400])
    expect(upstream.received.includes('GET /after')).toBe(false)
  })
})
