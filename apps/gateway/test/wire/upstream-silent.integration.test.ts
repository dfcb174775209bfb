import {
  connectRaw,
  type Provider,
  type RunningGateway,
  rawRequest,
  rawUpstream,
  startDeafListener,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chunk, get, head, post } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway

const never = new Promise<never>(() => undefined)
const stream = JSON.stringify({ model: 'm', stream: true, messages: [], max_tokens: 9 })

beforeAll(async () => {
  provider = await startProvider()
  const upstream = (
    protocol: string,
    path: string,
    timeouts: Readonly<Record<string, string>>,
  ) => ({
    protocol,
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url: `${provider.url}${path}` }],
    timeouts,
  })
  const short = { firstByte: '250ms', idle: '250ms', total: '20s' }
  const brief = { total: '400ms' }
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        claude: upstream('anthropic', '/v1', short),
        ai: upstream('openai', '/v1', short),
        service: upstream('http', '', short),
        hasty: upstream('openai', '/v1', brief),
        rushed: upstream('http', '', brief),
      },
      routes: [
        { match: '/v1/messages', upstreams: ['claude'], auth: 'none' },
        { match: '/v1/**', upstreams: ['ai'], auth: 'none' },
        { match: '/hasty/**', upstreams: ['hasty'], auth: 'none', stripPrefix: '/hasty' },
        { match: '/rushed/**', upstreams: ['rushed'], auth: 'none', stripPrefix: '/rushed' },
        { match: '/**', upstreams: ['service'], auth: 'none' },
      ],
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

async function send(text: string) {
  return await rawRequest({ port: gateway.port, send: text })
}

describe('an upstream that never answers', () => {
  it.each([
    ['/v1/chat/completions', 'ai'],
    ['/anything', 'service'],
  ])('is a 504 that names it: %s', async (path, name) => {
    provider.next({ beforeHeaders: () => never })
    const { response } = await send(post(path, stream))
    const problem = JSON.parse(response.body.toString())
    expect(response.status).toBe(504)
    expect(problem).toMatchObject({ code: 'upstream_timeout', error: { type: 'upstream_error' } })
    expect(problem.detail).toContain(`"${name}"`)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('is told in the words of its protocol', async () => {
    provider.next({ beforeHeaders: () => never })
    const { response } = await send(post('/v1/messages', stream))
    expect(response.status).toBe(504)
    expect(JSON.parse(response.body.toString())).toMatchObject({
      type: 'error',
      error: { type: 'timeout_error' },
    })
  })

  it('is waited for from the end of the upload on, not from its beginning', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /slow-upload', 'transfer-encoding: chunked'))
    for (let i = 0; i < 8; i += 1) {
      await connection.write(chunk(`part ${i}`))
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await connection.write(chunk(''))
    const answer = await connection.waitFor('HTTP/1.1 ')
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /)
  })

  it('is given up at the end of the time for the whole, with the hop named', async () => {
    provider.next({ beforeHeaders: () => never })
    const { response } = await send(post('/hasty/v1/chat/completions', stream))
    const problem = JSON.parse(response.body.toString())
    expect(response.status).toBe(504)
    expect(problem).toMatchObject({ code: 'deadline_exceeded' })
    expect(problem.detail).toContain('upstream hasty')
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('has its connection timed out when it does not even accept', async () => {
    await using deaf = await startDeafListener()
    await using through = await gatewayTo(deaf.url, {
      timeouts: { connect: '200ms' },
      env: { ENVIRONMENT: 'production' },
    })
    const { response } = await rawRequest({ port: through.port, send: get('/x') })
    expect(response.status).toBe(504)
    const body = response.body.toString()
    expect(JSON.parse(body)).toMatchObject({ code: 'upstream_connect_timeout' })
    expect(body).not.toContain(String(deaf.port))
  })
})

describe('an upstream that falls silent in the middle of its answer', () => {
  it('breaks a stream with an event that says so, after the events that came', async () => {
    provider.next({ beforeEvent: (index) => (index === 3 ? never : undefined) })
    const { response } = await send(post('/v1/chat/completions', stream))
    const events = response.body.toString().split('\n\n').filter(Boolean)
    expect(events).toHaveLength(4)
    expect(JSON.parse(events[3]?.replace('data: ', '') ?? '')).toMatchObject({
      error: { code: 'stream_idle', type: 'upstream_error' },
      request_id: response.header('x-request-id'),
    })
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('resets any other body', async () => {
    provider.next({ fault: { kind: 'stall', at: { bytes: 5_000 } } })
    const { response, ended } = await send(get('/bytes/100000'))
    expect(response.complete).toBe(false)
    expect(ended).toBe('reset')
  })

  it('is not silent as long as something comes', async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 80))
    provider.next({ beforeEvent: pause, comments: true })
    const { response } = await send(post('/v1/chat/completions', stream))
    expect(response.body.toString()).toContain('data: [DONE]')
  })

  it('is not silent while the client is the one that does not read', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    connection.pause()
    await connection.write(get('/bytes/30000000', 'connection: close'))
    const seen = await provider.waitForRequest()
    await new Promise((resolve) => setTimeout(resolve, 700))
    connection.resume()
    expect(await connection.ended).toBe('closed')
    expect(connection.received.length).toBeGreaterThan(30_000_000)
    expect(await seen.closedEarly).toBeNull()
  })
})

describe('the time for the whole', () => {
  it('ends a stream with an event that says so', async () => {
    provider.next({ beforeEvent: (index) => (index === 2 ? never : undefined) })
    const { response } = await send(post('/hasty/v1/chat/completions', stream))
    const events = response.body.toString().split('\n\n').filter(Boolean)
    expect(events).toHaveLength(3)
    expect(events[2]).toContain('deadline_exceeded')
    const line = await gateway.waitForLog(
      ({ message, request_id }) =>
        message === 'request' && request_id === response.header('x-request-id'),
    )
    expect(line).toMatchObject({ status_code: 200, outcome: 'deadline' })
  })

  it('resets any other body', async () => {
    provider.next({ fault: { kind: 'stall', at: { bytes: 5_000 } } })
    const { ended } = await send(get('/rushed/bytes/100000'))
    expect(ended).toBe('reset')
  })

  it('runs while the client sends, too, and is then its own fault', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /rushed/x', 'transfer-encoding: chunked') + chunk('a'))
    const answer = await connection.waitFor('request_timeout')
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('runs while a small body drips in, too', async () => {
    const drip = Array.from({ length: 100 }, () => [{ waitMs: 50 }, 'x']).flat()
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: [head('POST /rushed/x', 'content-length: 1000'), ...drip],
      responses: 2,
    })
    expect(response.status).toBe(408)
    expect(ended).not.toBe('timed-out')
    expect(provider.hits).toBe(0)
  })
})

describe('a client that stops reading', () => {
  it('is given up also when the upstream has long said everything', async () => {
    await using impatient = await gatewayTo(provider.url, {
      server: { timeouts: { write: '300ms' } },
    })
    await using connection = await connectRaw({ port: impatient.port })
    connection.pause()
    await connection.write(get('/bytes/60000').repeat(300))
    const line = await impatient.waitForLog(({ status_code }) => status_code === 499)
    expect(line).toMatchObject({ path: '/bytes/60000' })
  })

  it('is given up after its time, and frees its upstream call', async () => {
    await using up = await rawUpstream({ reply: '' })
    await using impatient = await gatewayTo(up.url, { server: { timeouts: { write: '300ms' } } })
    await using connection = await connectRaw({ port: impatient.port })
    connection.pause()
    await connection.write(get('/endless'))
    const source = await up.waitForConnection()
    await source.waitFor('GET /endless')
    const body = Buffer.alloc(40_000_000)
    void source.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`)
    void source.write(body)
    await source.ended
    const line = await impatient.waitForLog(({ path }) => path === '/endless')
    expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone' })
  })
})
