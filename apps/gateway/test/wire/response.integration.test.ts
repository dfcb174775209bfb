import { brotliCompressSync, gzipSync } from 'node:zlib'
import {
  type Provider,
  type RunningGateway,
  rawRequest,
  rawUpstream,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, head, reply } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayTo(provider.url)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

async function send(text: string, responses = 1) {
  return await rawRequest({ port: gateway.port, send: text, responses })
}

/** Answers the next request with exactly these bytes. */
async function answered(raw: string | Uint8Array, request = get('/raw')) {
  provider.next({ raw, rawThen: 'close' })
  return await send(request)
}

describe('a response', () => {
  it('without a body stays without one', async () => {
    const bodyless = [
      ['/204', 'HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n'],
      ['/304', 'HTTP/1.1 304 Not Modified\r\netag: "x"\r\ncontent-length: 77\r\n\r\n'],
      ['/205', 'HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n'],
    ]
    const answers = new Map(bodyless.map(([path = '', raw = '']) => [`GET ${path} HTTP/1.1`, raw]))
    await using upstream = await rawUpstream({
      reply: ({ startLine }) => answers.get(startLine) ?? reply('200 OK', [], 'after'),
    })
    await using alone = await gatewayTo(upstream.url)
    const { responses, bytes } = await rawRequest({
      port: alone.port,
      send: get('/204') + get('/304') + get('/205') + get('/after'),
      responses: 4,
    })
    expect(responses.map(({ status }) => status)).toEqual([204, 304, 205, 200])
    expect(responses.map(({ body }) => body.toString())).toEqual(['', '', '', 'after'])
    expect(bytes.toString('latin1')).not.toMatch(/transfer-encoding/i)
  })

  it('keeps the length that a 304 speaks of', async () => {
    const { response } = await answered(
      'HTTP/1.1 304 Not Modified\r\netag: "x"\r\ncontent-length: 77\r\n\r\n',
    )
    expect(response.header('content-length')).toBe('77')
  })

  it('keeps its status and its reason, also where nobody knows them', async () => {
    for (const [status, reason] of [
      [207, 'Multi-Status'],
      [299, 'Own Words Here'],
      [418, "I'm a teapot"],
      [529, 'Overloaded'],
      [599, ''],
    ] as const) {
      const { response } = await answered(
        `HTTP/1.1 ${status} ${reason}\r\ncontent-length: 2\r\n\r\nhm`,
      )
      expect(response).toMatchObject({ status, body: Buffer.from('hm') })
      if (reason !== '') expect(response.reason).toBe(reason)
    }
  })

  it('keeps cookies apart, and lists in their order', async () => {
    const { response } = await answered(
      'HTTP/1.1 200 OK\r\nset-cookie: a=1; expires=Thu, 01 Jan 2099 00:00:00 GMT\r\nvia: 1.1 x\r\nSet-Cookie: b=2\r\nVia: 1.1 y\r\ncontent-length: 0\r\n\r\n',
    )
    expect(response.headers.get('set-cookie')).toEqual([
      'a=1; expires=Thu, 01 Jan 2099 00:00:00 GMT',
      'b=2',
    ])
    expect(response.headers.get('via')?.join(', ')).toBe('1.1 x, 1.1 y')
  })

  it('keeps values outside ASCII byte for byte', async () => {
    const name = Buffer.from('filename="\u00fcber-\u20ac.txt"')
    const raw = Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-disposition: attachment; '),
      name,
      Buffer.from('\r\n\r\n'),
    ])
    const { bytes } = await answered(raw)
    expect(bytes.includes(name)).toBe(true)
  })

  it('is framed as it came: by length, by chunks, or by the end of the connection', async () => {
    for (const framing of ['length', 'chunked', 'close'] as const) {
      provider.next({ body: 'the whole body', framing })
      const { response } = await send(get('/framed'))
      expect(response.body.toString()).toBe('the whole body')
      expect(response.complete).toBe(true)
      expect(response.framing).toBe(framing === 'length' ? 'length' : 'chunked')
    }
  })

  it('may come from a server of HTTP/1.0', async () => {
    const { response } = await answered('HTTP/1.0 200 OK\r\nx-old: yes\r\n\r\nuntil the end')
    expect(response.startLine).toBe('HTTP/1.1 200 OK')
    expect(response.body.toString()).toBe('until the end')
  })

  it('loses the trailers that it announced', async () => {
    provider.next({ body: 'x', framing: 'chunked', trailers: { 'x-checksum': 'abc' } })
    const { response, ended } = await send(get('/trailers'))
    expect(response.header('trailer')).toBeUndefined()
    expect(response.complete).toBe(true)
    expect(ended).toBe('answered')
  })

  it('may have early hints before it', async () => {
    const hints = ['</a.css>; rel=preload; as=style', '</b.js>; rel=preload; as=script']
    provider.next({ earlyHints: hints, body: 'page' })
    const { response } = await send(get('/page'))
    expect(response.status).toBe(200)
    expect(response.informational.map(({ startLine }) => startLine)).toEqual([
      'HTTP/1.1 103 Early Hints',
    ])
    expect(response.informational[0]?.headers.get('link')?.join(', ')).toBe(hints.join(', '))
  })

  it('may have several interim ones before it, less those that nobody knows', async () => {
    const { response } = await answered(
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 199 What\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    )
    expect(response.status).toBe(200)
    expect(response.body.toString()).toBe('ok')
    expect(response.informational.map(({ startLine }) => startLine.split(' ')[1])).toEqual([
      '102',
      '103',
    ])
  })

  it('to HEAD may name a length, and nothing follows', async () => {
    const { bytes } = await answered(
      'HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n',
      head('HEAD /raw'),
    )
    expect(bytes.toString('latin1')).toMatch(/content-length: 5000\r\n(?:.+\r\n)*\r\n$/)
  })
})

describe('a compressed body', () => {
  const text = 'compress me '.repeat(500)

  it.each([
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['x-unknown', Buffer.from('opaque bytes')],
  ])('passes untouched: %s', async (encoding, body) => {
    provider.next({ body, headers: { 'content-encoding': encoding, etag: '"strong"' } })
    const { response } = await send(get('/compressed', 'Accept-Encoding: gzip;q=0.5, br, *;q=0'))
    expect(response.header('content-encoding')).toBe(encoding)
    expect(response.header('content-length')).toBe(String(body.length))
    expect(response.header('etag')).toBe('"strong"')
    expect(response.body.equals(body)).toBe(true)
    expect(provider.lastRequest.header('accept-encoding')).toBe('gzip;q=0.5, br, *;q=0')
  })

  it('is never made where none came', async () => {
    provider.next({ body: text })
    const { response } = await send(get('/plain', 'accept-encoding: gzip, br'))
    expect(response.header('content-encoding')).toBeUndefined()
    expect(response.body.toString()).toBe(text)
  })

  it('is not asked for by us', async () => {
    await send(get('/echo'))
    expect(provider.lastRequest.header('accept-encoding')).toBeUndefined()
    expect(provider.lastRequest.header('user-agent')).toBeUndefined()
    expect(provider.lastRequest.header('accept')).toBeUndefined()
  })
})
