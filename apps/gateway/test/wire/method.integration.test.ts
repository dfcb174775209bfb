import {
  connectRaw,
  type Provider,
  type RunningGateway,
  rawRequest,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, head, post } from './http-text.ts'
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

describe('a method', () => {
  it.each([
    ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    ...['PROPFIND', 'REPORT', 'QUERY', 'MKCOL', 'M-SEARCH', 'PURGE', 'SUBSCRIBE'],
  ])('passes: %s', async (method) => {
    const { response } = await send(`${head(`${method} /echo/x`, 'content-length: 2')}{}`)
    expect(response.status).toBe(200)
    expect(provider.lastRequest).toMatchObject({ method, target: '/echo/x', text: '{}' })
  })

  it('HEAD passes, and its answer has headers and no body', async () => {
    const { response, bytes } = await send(head('HEAD /bytes/1234'))
    expect(response.status).toBe(200)
    expect(response.header('content-length')).toBe('1234')
    expect(bytes.toString('latin1')).toMatch(/\r\n\r\n$/)
    expect(provider.lastRequest.method).toBe('HEAD')
  })

  it('HEAD leaves its connection fit for the next request', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('HEAD /bytes/9') + get('/echo/after'))
    expect((await connection.waitFor('"target":"/echo/after"')).toString()).toMatch(/^HTTP/)
  })

  it.each(['/livez', '/nowhere-of-ours'])(
    'HEAD is answered without a body by the gateway itself: %s',
    async (path) => {
      provider.always({ status: 404 })
      const { bytes } = await send(head(`HEAD ${path}`) + head('HEAD /livez'), 2)
      const text = bytes.toString('latin1')
      expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(2)
      expect(text.match(/\r\n\r\n/g)).toHaveLength(2)
      expect(text.endsWith('\r\n\r\n')).toBe(true)
    },
  )

  it('TRACE is refused and never passed on', async () => {
    const { response } = await send(head('TRACE /echo', 'cookie: secret-of-the-client'))
    expect(response.status).toBe(405)
    expect(response.body.toString()).not.toContain('secret-of-the-client')
    expect(provider.hits).toBe(0)
  })

  it.each(['CONNECT other.test:443', 'CONNECT /path'])(
    'CONNECT is refused and opens no tunnel: %s',
    async (line) => {
      const { response, responses, ended } = await send(head(line) + get('/echo/tunnelled'), 2)
      expect(response.status).toBe(405)
      expect(response.header('connection')).toBe('close')
      expect(JSON.parse(response.body.toString()).code).toBe('method_not_allowed')
      expect(responses).toHaveLength(1)
      expect(ended).toBe('closed')
      expect(provider.hits).toBe(0)
    },
  )

  it('that HTTP does not know is refused', async () => {
    const { response } = await send(head('BREW /echo'))
    expect(response.status).toBe(400)
    expect(provider.hits).toBe(0)
  })
})

describe('a request to leave HTTP', () => {
  it.each([
    ['h2c', ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk']],
    ['another protocol', ['connection: upgrade', 'upgrade: chat/2']],
    ['an Upgrade that Connection does not name', ['upgrade: websocket']],
  ])('is ignored unless it is for WebSocket: %s', async (_, fields) => {
    const { response } = await send(get('/echo', ...fields))
    expect(response.status).toBe(200)
    expect(provider.lastRequest.header('upgrade')).toBeUndefined()
    expect(provider.lastRequest.header('http2-settings')).toBeUndefined()
    expect(provider.lastRequest.header('connection')).toBe('keep-alive')
  })
})

describe('a connection', () => {
  it('serves on after each refusal, or is closed', async () => {
    await using guarded = await gatewayTo(provider.url, {
      keys: [{ id: 'a', key: 'the-only-key' }],
      server: { bodyLimit: '100b' },
    })
    const key = 'authorization: Bearer the-only-key'
    const refusals = [
      post('/echo', 'a'.repeat(50)),
      post('/echo', 'a'.repeat(200), key),
      post('/v1/../x', 'abc', key),
      head('TRACE /echo', key),
      post('/metrics', 'abc'),
      post('/cache', 'abc'),
    ]
    for (const refusal of refusals) {
      const { responses, ended } = await rawRequest({
        port: guarded.port,
        send: refusal + get('/echo/after', key),
        responses: 2,
      })
      const [first, second] = responses
      expect(first?.status).toBeGreaterThanOrEqual(400)
      if (first?.header('connection') === 'close') expect(ended).toBe('closed')
      else
        expect(JSON.parse(second?.body.toString() ?? '')).toMatchObject({ target: '/echo/after' })
    }
  })

  it('is closed after the answer when the client says so', async () => {
    const { responses, ended } = await send(
      get('/echo', 'connection: close') + get('/echo/late'),
      2,
    )
    expect(responses.map(({ status }) => status)).toEqual([200])
    expect(responses[0]?.header('connection')).toBe('close')
    expect(ended).toBe('closed')
    expect(provider.hits).toBe(1)
  })

  it('to the upstream is used again', async () => {
    for (let i = 0; i < 5; i += 1) await send(get('/echo'))
    expect(new Set(provider.requests.map(({ connection }) => connection)).size).toBe(1)
  })
})
