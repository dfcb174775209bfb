import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { connectRaw } from '../net/raw-connection.ts'
import { rawRequest } from '../net/raw-request.ts'
import { startProvider } from './provider.ts'
import { hopByHopHeaders } from './provider-headers.ts'

function post(path: string, body: string | object, headers = ''): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const length = Buffer.byteLength(text)
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}content-length: ${length}\r\n\r\n${text}`
}

const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }
const streamedChat = post('/v1/chat/completions', { ...chat, stream: true })

describe('startProvider', () => {
  it('records a request exactly', async () => {
    await using provider = await startProvider()
    const send =
      'PUT /echo/a%2Fb?q=1&q=%20 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 3\r\n\r\n\u0000\u0001\u0002'
    const { response } = await rawRequest({ port: provider.port, send })
    const { lastRequest } = provider
    expect(lastRequest).toMatchObject({
      method: 'PUT',
      target: '/echo/a%2Fb?q=1&q=%20',
      bodyComplete: true,
      rawHeaders: ['Host', 'x', 'X-A', '1', 'x-a', '2', 'content-length', '3'],
      sha256: createHash('sha256').update('\u0000\u0001\u0002').digest('hex'),
    })
    expect(lastRequest.headerValues('X-a')).toEqual(['1', '2'])
    expect(await lastRequest.closedEarly).toBeNull()
    expect(JSON.parse(response.body.toString())).toMatchObject({
      target: lastRequest.target,
      rawHeaders: lastRequest.rawHeaders,
      body: { bytes: 3, sha256: lastRequest.sha256, base64: 'AAEC' },
    })
    expect(provider.hits).toBe(1)
  })

  it('notices a client that leaves while it waits', async () => {
    await using provider = await startProvider()
    provider.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const client = await connectRaw({ port: provider.port })
    await client.write(streamedChat)
    const request = await provider.waitForRequest()
    await client[Symbol.asyncDispose]()
    expect(await request.closedEarly).toMatchObject({ bytesSent: 0 })
  })

  it('notices a client that leaves in the middle of a stream', async () => {
    await using provider = await startProvider()
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.next({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const client = await connectRaw({ port: provider.port })
    await client.write(streamedChat)
    await client.waitFor('rise')
    client.reset()
    const closed = await provider.lastRequest.closedEarly
    expect(closed?.bytesSent).toBeGreaterThan(0)
    expect(closed?.afterMs).toBeGreaterThan(0)
    resolve()
  })

  it('notices an upload that breaks off', async () => {
    await using provider = await startProvider()
    const client = await connectRaw({ port: provider.port })
    await client.write('POST /v1/files HTTP/1.1\r\nHost: x\r\ncontent-length: 10\r\n\r\nabc')
    const request = await provider.waitForRequest()
    await client[Symbol.asyncDispose]()
    expect(await request.bodyEnded).toBe(false)
    expect(request).toMatchObject({ bodyComplete: false, text: 'abc' })
    expect(await request.closedEarly).not.toBeNull()
  })

  it('counts connections and keeps what its parser refused', async () => {
    await using provider = await startProvider()
    const get = 'GET /status/204 HTTP/1.1\r\nHost: x\r\n\r\n'
    await rawRequest({ port: provider.port, send: [get, get], responses: 2 })
    await rawRequest({ port: provider.port, send: 'GET / HTTP/1.1\r\nbad header\r\n\r\n' })
    expect(provider.connections).toBe(2)
    expect(provider.requests.map((one) => one.connection)).toEqual([0, 0])
    expect(provider.protocolErrors[0]?.bytes.toString()).toContain('bad header')
  })

  it('records CONNECT too, so that a test can prove that none came', async () => {
    await using provider = await startProvider()
    const send = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'
    const { response } = await rawRequest({ port: provider.port, send })
    expect(response.status).toBe(405)
    expect(provider.lastRequest).toMatchObject({ method: 'CONNECT', target: 'a:443' })
  })

  it('asks for a key when it has some', async () => {
    await using provider = await startProvider({ apiKeys: ['right'] })
    const ask = (headers: string, path = '/v1/chat/completions') =>
      rawRequest({ port: provider.port, send: post(path, chat, headers) })
    expect((await ask('authorization: Bearer right\r\n')).response.status).toBe(200)
    expect((await ask('x-api-key: right\r\n')).response.status).toBe(200)
    const wrong = (await ask('authorization: Bearer wrong\r\n')).response
    expect(wrong.status).toBe(401)
    expect(JSON.parse(wrong.body.toString()).error.code).toBe('invalid_api_key')
    const anthropic = (await ask('', '/v1/messages')).response
    expect(JSON.parse(anthropic.body.toString()).error.type).toBe('authentication_error')
  })

  it('takes a behaviour from the queue, the header, the model, then the rest', async () => {
    await using provider = await startProvider({
      always: { status: 418 },
      models: { slowpoke: { status: 408 } },
    })
    const status = async (body: object, headers = '') => {
      const send = post('/v1/chat/completions', body, headers)
      return (await rawRequest({ port: provider.port, send })).response.status
    }
    provider.next({ status: 500 })
    const byHeader = 'x-testkit-behaviour: {"status":409}\r\n'
    expect(await status({ ...chat, model: 'slowpoke' }, byHeader)).toBe(500)
    expect(await status({ ...chat, model: 'slowpoke' }, byHeader)).toBe(409)
    expect(await status({ ...chat, model: 'slowpoke' })).toBe(408)
    expect(await status({ ...chat, model: 'error-503' })).toBe(503)
    expect(await status(chat)).toBe(418)
    provider.always((request) => ({ text: `you sent ${request.body.length} bytes` }))
    expect(await status(chat)).toBe(200)
    provider.reset()
    expect(provider.hits).toBe(0)
    expect(await status(chat)).toBe(418)
  })

  it('sends its own ids, limits, cookies and CORS headers, each changeable', async () => {
    await using provider = await startProvider()
    provider.next({}, { headers: { ...hopByHopHeaders, 'set-cookie': null, Server: ['a', 'b'] } })
    const ask = async () => (await rawRequest({ port: provider.port, send: streamedChat })).response
    const usual = await ask()
    expect(usual.header('x-request-id')).toMatch(/^req_0_/)
    expect(usual.header('x-ratelimit-limit-requests')).toBe('500')
    expect(usual.header('access-control-allow-origin')).toBe('*')
    expect(usual.headers.get('set-cookie')).toHaveLength(2)
    const changed = await ask()
    expect(changed.headers.get('set-cookie')).toBeUndefined()
    expect(changed.headers.get('server')).toEqual(['a', 'b'])
    expect(changed.header('connection')).toBe('x-custom, keep-alive')
    expect(changed.header('x-custom')).toBe('for this hop only')
  })

  it('answers plain HTTP paths', async () => {
    await using provider = await startProvider()
    const ask = async (method: string, target: string) => {
      const send = `${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`
      return (await rawRequest({ port: provider.port, send })).response
    }
    const bytes = await ask('GET', '/bytes/1000')
    expect(new Set(bytes.body).size).toBe(256)
    expect(await ask('HEAD', '/bytes/1000')).toMatchObject({ status: 200, framing: 'none' })
    expect((await ask('HEAD', '/bytes/1000')).header('content-length')).toBe('1000')
    expect(await ask('GET', '/status/204')).toMatchObject({ status: 204, framing: 'none' })
    expect(await ask('GET', '/status/304')).toMatchObject({ status: 304, framing: 'none' })
    expect(await ask('GET', '/nowhere')).toMatchObject({ status: 404 })
  })

  it('serves HTTPS', async () => {
    const { makeCertificates } = await import('../services/certificates.ts')
    await using certificates = await makeCertificates()
    await using provider = await startProvider({ tls: certificates })
    const { get } = await import('node:https')
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    get(`${provider.url}/v1/models`, { ca: certificates.ca, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
    expect(await promise).toBe(200)
  })
})
