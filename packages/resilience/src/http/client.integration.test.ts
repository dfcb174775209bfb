import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { HttpResponse } from './call-options.ts'
import { createHttpClient, type HttpClient } from './client.ts'
import { HttpStatusError, ResponseTooLargeError, ResponseValidationError } from './errors.ts'
import type { HttpClientEvent } from './events.ts'
import { ClientSettingsError } from './settings-issue.ts'

let provider: Provider
let client: HttpClient
beforeAll(async () => {
  provider = await startProvider()
  client = createHttpClient({ baseUrls: provider.url })
})
beforeEach(() => provider.reset())
afterAll(async () => {
  await client.close()
  await provider[Symbol.asyncDispose]()
})

const json = (value: unknown) => ({ json: value })

describe('a call', () => {
  it('sends its method, path, query, headers and JSON as they are given', async () => {
    const made = createHttpClient({
      baseUrls: `${provider.url}/base/`,
      headers: { 'X-Team': 'tides', accept: 'text/csv' },
      auth: { bearer: { reveal: () => 'sk-1' } },
    })
    provider.next({ echo: true })
    await made.post('/echo/a%2Fb?x=1', {
      query: { y: ['2', '3'], z: null, q: 'ä b', n: 4, on: true },
      headers: { 'x-team': 'ebb', 'X-Many': ['1', '2'] },
      json: { a: 'ö' },
    })
    const { lastRequest } = provider
    expect(lastRequest.method).toBe('POST')
    expect(lastRequest.target).toBe('/base/echo/a%2Fb?x=1&y=2&y=3&q=%C3%A4+b&n=4&on=true')
    expect(lastRequest.headers).toMatchObject({
      authorization: 'Bearer sk-1',
      accept: 'text/csv',
      'x-team': 'ebb',
      'content-type': 'application/json',
    })
    expect(lastRequest.headerValues('x-many')).toEqual(['1', '2'])
    expect(lastRequest.json).toEqual({ a: 'ö' })
    await made.close()
  })

  it.each(['get', 'head', 'post', 'put', 'patch', 'delete'] as const)('%s', async (method) => {
    const { status } = await client[method]('/echo/x')
    expect(status).toBe(200)
    expect(provider.lastRequest.method).toBe(method.toUpperCase())
  })

  it('sends text, bytes, forms and streams, each with its content-type', async () => {
    const sent = async (body: NonNullable<Parameters<typeof client.post>[1]>['body']) => {
      await client.post('/echo/x', { body })
      const { text, headers } = provider.lastRequest
      return [text, headers['content-type'], headers['transfer-encoding']]
    }
    expect(await sent('ä')).toEqual(['ä', 'text/plain; charset=utf-8', undefined])
    const bytes = new TextEncoder().encode('xabcx').subarray(1, 4)
    expect(await sent(bytes)).toEqual(['abc', 'application/octet-stream', undefined])
    const form = new URLSearchParams({ a: 'b c' })
    expect(await sent(form)).toEqual(['a=b+c', 'application/x-www-form-urlencoded', undefined])
    async function* pieces() {
      yield new TextEncoder().encode('one ')
      yield new TextEncoder().encode('two')
    }
    expect(await sent(pieces())).toEqual(['one two', 'application/octet-stream', 'chunked'])
  })

  it('asks for a changing credential each time, and lets a call bring its own', async () => {
    let turn = 0
    const auth = { header: 'X-Api-Key', value: () => `key-${++turn}` }
    await using made = createHttpClient({ baseUrls: provider.url, auth })
    await made.get('/echo/x')
    await made.get('/echo/x')
    expect(provider.lastRequest.header('x-api-key')).toBe('key-2')
    await made.get('/echo/x', { headers: { 'x-api-key': 'own' } })
    expect(provider.lastRequest.headerValues('x-api-key')).toEqual(['own'])
    const basic = { basic: { username: 'ann', password: 'päss' } }
    await using other = createHttpClient({ baseUrls: provider.url, auth: basic })
    await other.get('/echo/x')
    const [, encoded = ''] = provider.lastRequest.header('authorization')?.split(' ') ?? []
    expect(Buffer.from(encoded, 'base64').toString()).toBe('ann:päss')
  })

  it.each([
    ['no slash', { path: 'x' }],
    ['an absolute URL', { path: 'http://127.0.0.1:1/x' }],
    ['a space', { path: '/a b' }],
    ['a line break', { path: '/a\r\nx: y' }],
    ['a fragment', { path: '/a#b' }],
    ['a backslash', { path: '/a\\b' }],
    ['no ASCII', { path: '/ä' }],
    ['dot segments', { path: '/a/../../b' }],
    ['encoded dot segments', { path: '/a/%2E%2e/b' }],
    ['a header with a line break', { path: '/', headers: { a: 'b\r\nc: d' } }],
    ['a header that is no name', { path: '/', headers: { 'a b': 'c' } }],
    ['a method that is none', { path: '/', method: 'GE T' }],
    ['two bodies', { path: '/', method: 'POST', json: 1, body: 'x' }],
  ])('is refused with a TypeError for %s', async (_, options) => {
    await expect(client.request(options)).rejects.toThrow(TypeError)
    expect(provider.hits).toBe(0)
  })

  it('never leaves its endpoint, whatever the path', async () => {
    provider.next({ echo: true })
    await client.get('//evil.example/x')
    expect(provider.lastRequest.target).toBe('//evil.example/x')
  })
})

describe('a response', () => {
  it('is JSON, text or bytes as its content-type says, and null when empty', async () => {
    const read = async (headers: Record<string, string>, body: string) => {
      provider.next({ body, headers })
      return (await client.get('/x')).data
    }
    expect(await read({ 'content-type': 'application/problem+json; a=b' }, '{"a":1}')).toEqual({
      a: 1,
    })
    expect(await read({ 'content-type': 'text/html' }, '<p>')).toBe('<p>')
    expect(await read({ 'content-type': 'image/png' }, 'x')).toEqual(Buffer.from('x'))
    expect(await read({ 'content-type': 'application/json' }, '')).toBeNull()
    expect(await read({ 'content-type': 'application/json' }, '\ufeff[1]')).toEqual([1])
    expect((await client.head('/v1/models')).data).toBeNull()
  })

  it('is read as the call wants it', async () => {
    provider.always({ body: '{"a":1}', headers: { 'content-type': 'text/plain' } })
    expect((await client.get('/x', { as: 'json' })).data).toEqual({ a: 1 })
    expect((await client.get('/x', { as: 'text' })).data).toBe('{"a":1}')
    expect((await client.get('/x', { as: 'bytes' })).data).toEqual(Buffer.from('{"a":1}'))
  })

  it('is validated, and typed, by a schema', async () => {
    const schema = z.object({ id: z.coerce.number(), tags: z.array(z.string()).default([]) })
    provider.next({ json: { id: '7', more: true } })
    const response = await client.get('/x', { schema })
    expect(response.data).toEqual({ id: 7, tags: [] })
    expectTypeOf(response).toEqualTypeOf<HttpResponse<{ id: number; tags: string[] }>>()
    provider.next({ json: { id: 'seven', tags: [1] } })
    const error = await client.get('/x', { schema }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ResponseValidationError)
    expect(error).toMatchObject({
      code: 'invalid_response',
      status: 200,
      endpoint: provider.url,
      issues: [{ path: 'id' }, { path: 'tags.0' }],
    })
    expect(client.stats().endpoints[0]?.failures).toBe(0)
  })

  it('that is no JSON where it should be is an error that does not quote it', async () => {
    provider.next({ body: 'secret words', headers: { 'content-type': 'application/json' } })
    const error = await client.get('/x').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'invalid_response' })
    expect(String(error)).not.toContain('secret')
  })

  it('of status 400 and above is an HttpStatusError with headers and text', async () => {
    provider.next({ status: 418, body: 'short and stout', headers: { 'x-pot': 'tea' } })
    const error = await client.get('/x').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HttpStatusError)
    expect(error).toMatchObject({ code: 'http_status', status: 418, body: 'short and stout' })
    expect((error as HttpStatusError).headers['x-pot']).toBe('tea')
    expect((error as HttpStatusError).timeline).toMatchObject([
      { kind: 'failure', attempt: 1, reason: '418', endpoint: provider.url, breaker: 'closed' },
    ])
    // A logger that copies an error's properties copies nothing that the server said.
    expect(JSON.stringify({ ...(error as HttpStatusError) })).not.toContain('stout')
  })

  it('of status 400 and above is given as it is when asked for', async () => {
    provider.always({ status: 503, json: { busy: true } })
    const options = {
      throwOnStatus: false,
      retry: false,
      schema: z.object({ no: z.string() }),
    } as const
    expect(await client.get('/x', options)).toMatchObject({ status: 503, data: { busy: true } })
    const { status, body } = await client.stream('/x', { throwOnStatus: false, retry: false })
    let text = ''
    for await (const chunk of body) text += Buffer.from(chunk)
    expect([status, text]).toEqual([503, '{"busy":true}'])
  })

  it('that redirects is not followed', async () => {
    provider.next({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' })
    const { status, headers } = await client.get('/x')
    expect([status, headers.location]).toEqual([302, 'http://127.0.0.1:1/'])
    expect(provider.hits).toBe(1)
  })

  it('is bounded: by its announced length, by what comes, and once decoded', async () => {
    await using small = createHttpClient({ baseUrls: provider.url, maxResponseBytes: 1000 })
    const tooLarge = { code: 'response_too_large', limitBytes: 1000 }
    provider.next({ body: 'x'.repeat(1001), framing: 'length' })
    await expect(small.get('/x')).rejects.toMatchObject(tooLarge)
    provider.next({ body: 'x'.repeat(1001), framing: 'chunked', cut: 100 })
    await expect(small.get('/x')).rejects.toBeInstanceOf(ResponseTooLargeError)
    provider.next({ body: 'x'.repeat(100_000), encoding: 'gzip', framing: 'length' })
    await expect(small.get('/x')).rejects.toMatchObject(tooLarge)
    provider.next({ body: 'x'.repeat(1000) })
    expect((await small.get('/x', { as: 'text' })).data).toHaveLength(1000)
    expect(small.stats().endpoints[0]).toMatchObject({ pending: 0, failures: 0 })
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('that was compressed with %s all the same is read', async (coding, compress) => {
    const headers = { 'content-encoding': coding, 'content-type': 'application/json' }
    provider.next({ body: compress('{"a":1}'), headers })
    expect((await client.get('/x')).data).toEqual({ a: 1 })
    provider.next({ status: 400, body: compress('because'), headers })
    await expect(client.get('/x')).rejects.toMatchObject({ body: 'because' })
    provider.next({ body: 'not that', headers })
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'invalid_response' })
  })

  it('without a body, and one after 103 Early Hints, comes through', async () => {
    provider.next({ status: 204 }, { status: 304 }, { earlyHints: '</a>; rel=preload' })
    expect(await client.get('/x')).toMatchObject({ status: 204, data: null })
    expect(await client.get('/x')).toMatchObject({ status: 304, data: null })
    expect(await client.get('/v1/models')).toMatchObject({ status: 200 })
  })
})

describe('a client', () => {
  it('tells everything that is wrong with its options at once', () => {
    const make = () =>
      createHttpClient({ baseUrls: 'ftp://x', connections: 0, timeouts: { totalMs: -1 } })
    expect(make).toThrow(ClientSettingsError)
    expect(make).toThrow(/baseUrls[\s\S]*connections[\s\S]*timeouts\.totalMs/)
  })

  it('sends a batch, so many at a time, and tells what became of each', async () => {
    provider.always(({ path }) => (path === '/2' ? { status: 404 } : { json: path }))
    const paths = Array.from({ length: 6 }, (_, index) => ({ path: `/${index}` }))
    const results = await client.batch(paths, { concurrency: 2 })
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, true, true, true])
    expect(results[5]).toMatchObject({ value: { data: '/5' } })
    expect(results[2]).toMatchObject({ error: { code: 'http_status', status: 404 } })
  })

  it('ends a batch with its signal', async () => {
    const controller = new AbortController()
    provider.always({ fault: { kind: 'stall', at: 'before-headers' } })
    const batch = client.batch([{ path: '/1' }, { path: '/2' }], {
      concurrency: 1,
      signal: controller.signal,
    })
    await provider.waitForRequest()
    controller.abort()
    const codes = (await batch).map(
      (result) => !result.ok && (result.error as { code: string }).code,
    )
    expect(codes).toEqual(['aborted', 'aborted'])
    expect(provider.hits).toBe(1)
  })

  it('asks for health', async () => {
    expect(await client.health('/status/200')).toMatchObject({ healthy: true, status: 200 })
    provider.next({ status: 503 })
    expect(await client.health()).toMatchObject({ healthy: false, status: 503 })
    expect(provider.hits).toBe(2)
  })

  it('asks the limit before every attempt', async () => {
    const asked: unknown[] = []
    await using limited = createHttpClient({
      baseUrls: provider.url,
      retry: { initial: 0 },
      limit: async ({ method, path, attempt }) => {
        asked.push([method, path, attempt])
        return asked.length < 3 ? { allowed: true } : { allowed: false, retryAfterMs: 70 }
      },
    })
    provider.next({ status: 503 })
    await limited.get('/v1/models?a=b')
    await expect(limited.get('/v1/models')).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 70,
      timeline: [{ kind: 'rejected', reason: 'rate_limited' }],
    })
    expect(asked.slice(0, 2)).toEqual([
      ['GET', '/v1/models?a=b', 1],
      ['GET', '/v1/models?a=b', 2],
    ])
    expect(provider.hits).toBe(2)
  })

  it('tells what happens, to an observer that may fail', async () => {
    const events: HttpClientEvent[] = []
    await using watched = createHttpClient({
      baseUrls: provider.url,
      retry: { initial: 0 },
      onEvent: (event) => {
        events.push(event)
        throw new Error('of its own')
      },
    })
    provider.next({ status: 503 })
    await watched.get('/v1/models')
    await expect(watched.get('/status/404')).rejects.toThrow('404')
    const call = { method: 'GET', ms: expect.any(Number) }
    const attempt = { type: 'attempt', endpoint: provider.url, ...call, error: undefined }
    expect(events).toEqual([
      { ...attempt, attempt: 1, status: 503 },
      { type: 'retry', endpoint: provider.url, method: 'GET', reason: '503', waitMs: 1 },
      { ...attempt, attempt: 2, status: 200 },
      { type: 'call', ...call, attempts: 2, status: 200, error: undefined },
      { ...attempt, attempt: 1, status: 404 },
      { type: 'call', ...call, attempts: 1, status: undefined, error: '404' },
    ])
    expect(watched.stats()).toMatchObject({
      ...{ calls: 2, failed: 1, repeats: 1 },
      endpoints: [{ attempts: 3, failures: 1, pending: 0, lastError: { reason: '503' } }],
    })
  })

  it('tells latencies once there are enough', async () => {
    await using fresh = createHttpClient({ baseUrls: provider.url })
    expect(fresh.stats().endpoints[0]?.latency).toBeUndefined()
    for (let index = 0; index < 20; index++) await fresh.get('/status/200')
    const { p50 = 0, p95 = 0, p99 = 0 } = fresh.stats().endpoints[0]?.latency ?? {}
    expect(p50).toBeGreaterThan(0)
    expect(p95).toBeGreaterThanOrEqual(p50)
    expect(p99).toBeGreaterThanOrEqual(p95)
  })

  it('once closed waits for what is under way and refuses the rest', async () => {
    const made = createHttpClient({ baseUrls: provider.url })
    const gate = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => gate.promise })
    const slow = made.get('/v1/models')
    await provider.waitForRequest()
    const closed = made.close()
    await expect(made.get('/v1/models')).rejects.toMatchObject({
      code: 'connection_failed',
      reason: 'the client is closed',
      sent: false,
    })
    gate.resolve()
    expect((await slow).status).toBe(200)
    await closed
    await expect.poll(() => made.stats().endpoints[0]?.connections.open).toBe(0)
  })

  it('once closed ends what takes too long', async () => {
    const made = createHttpClient({ baseUrls: provider.url })
    provider.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const outcome = made.get('/v1/models').catch((error: unknown) => error)
    const request = await provider.waitForRequest()
    await made.close({ graceMs: 10 })
    expect(await outcome).toMatchObject({ code: 'connection_failed', sent: true })
    expect(await request.closedEarly).not.toBeNull()
  })

  it('reuses its connections', async () => {
    await using pooled = createHttpClient({ baseUrls: provider.url, connections: 3 })
    const rounds = Array.from({ length: 60 }, () => pooled.get('/status/200'))
    await Promise.all(rounds)
    expect(pooled.stats().endpoints[0]?.connections.opened).toBeLessThanOrEqual(3)
    expect(new Set(provider.requests.map(({ connection }) => connection)).size).toBeLessThanOrEqual(
      3,
    )
  })

  it('lets so many wait and refuses the next', async () => {
    const gate = Promise.withResolvers<void>()
    provider.always({ json: {}, beforeHeaders: () => gate.promise })
    await using crowded = createHttpClient({
      baseUrls: provider.url,
      bulkhead: { max: 1, queue: 1 },
    })
    const first = crowded.get('/1')
    const second = crowded.get('/2')
    await expect(crowded.get('/3')).rejects.toMatchObject({ code: 'bulkhead_full' })
    expect(crowded.stats().endpoints[0]).toMatchObject({ pending: 1, queued: 1 })
    gate.resolve()
    await Promise.all([first, second])
    expect(provider.requests.map(({ path }) => path)).toEqual(['/1', '/2'])
  })
})

describe('strange servers', () => {
  it('that answer before they have read the body do no harm', async () => {
    provider.next({ status: 413, answerBeforeBody: true })
    const body = Buffer.alloc(5_000_000)
    await expect(client.post('/x', { body })).rejects.toMatchObject({ status: 413 })
    expect((await client.post('/echo/x', json({}))).status).toBe(200)
  })

  it('that speak no HTTP are a connection failure which does not quote them', async () => {
    provider.next({ raw: 'SECRET not http\r\n\r\n' })
    const error = await client.post('/x').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'connection_failed', sent: true, reason: 'not HTTP' })
    expect(JSON.stringify(error) + String((error as Error).cause)).not.toContain('SECRET')
  })

  it('that send endless headers are cut off', async () => {
    const head = `HTTP/1.1 200 OK\r\n${'a: bcdefghi\r\n'.repeat(10_000)}`
    provider.next({ raw: head, rawThen: 'keep-open' })
    await expect(client.post('/x')).rejects.toMatchObject({ reason: 'headers too large' })
  })
})

describe('an error that ends in the middle of its body', () => {
  const handlers: ((request: IncomingMessage, response: ServerResponse) => void)[] = []
  const server = createServer((request, response) => handlers.shift()?.(request, response))
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it('is told with what came of it, when it dribbles or never stops', async () => {
    await using made = createHttpClient({
      baseUrls: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    })
    handlers.push((_, response) => response.writeHead(400).write('because'))
    await expect(made.get('/')).rejects.toMatchObject({ status: 400, body: 'because' })
    handlers.push((_, response) => {
      response.writeHead(400)
      const more = () => response.destroyed || response.write('x'.repeat(10_000), more)
      more()
    })
    const error = await made.get('/').catch((thrown: unknown) => thrown)
    expect((error as HttpStatusError).body).toHaveLength(64 * 1024)
    await expect.poll(() => made.stats().endpoints[0]?.connections.open).toBe(0)
  })
})
