import {
  connectRaw,
  freePort,
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chunk, get, head, post } from './http-text.ts'

let provider: Provider
let gateway: RunningGateway
let deadPort: number

beforeAll(async () => {
  provider = await startProvider()
  deadPort = await freePort()
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        ai: {
          protocol: 'openai',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `${provider.url}/v1` }],
        },
        claude: {
          protocol: 'anthropic',
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
        dead: {
          protocol: 'openai',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `http://127.0.0.1:${deadPort}/v1` }],
        },
        nowhere: {
          protocol: 'http',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: 'http://no-such-host.invalid' }],
        },
      },
      routes: [
        { match: '/v1/messages', upstreams: ['claude'], auth: 'none' },
        { match: '/v1/**', upstreams: ['ai'], auth: 'none' },
        { match: '/dead/**', upstreams: ['dead'], auth: 'none', stripPrefix: '/dead' },
        { match: '/nowhere/**', upstreams: ['nowhere'], auth: 'none' },
        { match: '/**', upstreams: ['service'], auth: 'none' },
      ],
    },
    env: { ENVIRONMENT: 'production' },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

async function send(text: string) {
  return await rawRequest({ port: gateway.port, send: text, responses: 2, timeoutMs: 2_000 })
}

/** One answered request; its connection may stay. */
async function ask(text: string) {
  const { response } = await rawRequest({ port: gateway.port, send: text })
  return { response, problem: JSON.parse(response.body.toString()) }
}

const stream = JSON.stringify({ model: 'm', stream: true, messages: [], max_tokens: 9 })

/** The requests' lines in the log, by the status that clients saw. */
async function lineOf(id: string | undefined) {
  return await gateway.waitForLog(
    ({ message, request_id }) => message === 'request' && request_id === id,
  )
}

describe('an upstream that is not there', () => {
  it.each([
    ['nobody listens', '/dead/v1/models', 'dead'],
    ['nobody knows its name', '/nowhere/x', 'nowhere'],
  ])('is a 502 that gives no address away: %s', async (_, path, name) => {
    const { response, problem } = await ask(get(path))
    expect(response.status).toBe(502)
    expect(problem).toMatchObject({
      status: 502,
      code: 'upstream_unreachable',
      error: { type: 'upstream_error', code: 'upstream_unreachable' },
      request_id: response.header('x-request-id'),
    })
    expect(response.header('x-should-retry')).toBe('true')
    expect(response.body.toString()).not.toMatch(/127\.0\.0\.1|invalid|ECONN|ENOTFOUND|\bat /)
    expect(await lineOf(response.header('x-request-id'))).toMatchObject({
      status_code: 502,
      error_code: 'upstream_unreachable',
    })
    const health = await fetch(`${gateway.url}/health`)
    expect(await health.text()).not.toContain(name)
  })

  it('is told to the operator with its cause', async () => {
    const { response } = await ask(get('/dead/v1/models'))
    const line = await gateway.waitForLog(
      ({ level, request_id }) => level === 'warn' && request_id === response.header('x-request-id'),
    )
    expect(JSON.stringify(line)).toContain('ECONNREFUSED')
  })
})

describe('an upstream that leaves before its answer', () => {
  it.each(['reset', 'close'] as const)('is a 502: %s', async (kind) => {
    provider.always({ fault: { kind, at: 'before-headers' } })
    const { response, problem } = await ask(post('/v1/chat/completions', stream))
    expect(response.status).toBe(502)
    expect(problem).toMatchObject({ code: 'upstream_reset' })
    expect(provider.hits).toBe(1)
  })

  it('is told in the words of its protocol', async () => {
    provider.always({ fault: { kind: 'reset', at: 'before-headers' } })
    const { response, problem } = await ask(post('/v1/messages', stream))
    expect(response.status).toBe(502)
    expect(problem).toEqual({
      type: 'error',
      error: { type: 'api_error', message: expect.any(String) },
      request_id: response.header('x-request-id'),
    })
  })

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['half a head', 'HTTP/1.1 200 OK\r\nx-half'],
    ['a bad length', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 0\r\n\r\n'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx-a: b\0c\r\ncontent-length: 0\r\n\r\n'],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
    ['endless headers', `HTTP/1.1 200 OK\r\n${`x-a: ${'b'.repeat(1000)}\r\n`.repeat(100)}\r\n`],
  ])('or whose answer is %s is a 502', async (_, raw) => {
    provider.next({ raw, rawThen: 'close' })
    const { response, problem } = await ask(get('/raw'))
    expect(response.status).toBe(502)
    expect(problem.error.type).toBe('upstream_error')
    const again = await rawRequest({ port: gateway.port, send: get('/echo') })
    expect(again.response.status).toBe(200)
  })

  it('and reads no body is still heard', async () => {
    provider.next({ status: 401, answerBeforeBody: true })
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /v1/files', 'transfer-encoding: chunked') + chunk('first'))
    const answer = await connection.waitFor('invalid_api_key')
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /)
  })

  it('while the client still sends is a 502 all the same', async () => {
    provider.next({ fault: { kind: 'reset', at: 'before-headers' }, answerBeforeBody: true })
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /v1/files', 'transfer-encoding: chunked') + chunk('first'))
    const answer = await connection.waitFor('upstream_reset')
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 502 /)
  })
})

describe('an upstream that leaves in the middle of a body', () => {
  const breaks = (['reset', 'close'] as const).flatMap((kind) =>
    (['length', 'chunked'] as const).flatMap((framing) =>
      ['/bytes/100000', '/v1/bytes/100000'].map((path) => [kind, framing, path] as const),
    ),
  )

  it.each(breaks)('leaves no clean end: %s, by %s, %s', async (kind, framing, path) => {
    provider.next({ framing, fault: { kind, at: { bytes: 50_000 } } })
    const { response, ended } = await send(get(path))
    expect(response.status).toBe(200)
    expect(response.complete).toBe(false)
    expect(ended).toBe('reset')
    expect(await lineOf(response.header('x-request-id'))).toMatchObject({
      status_code: 200,
      outcome: 'upstream_broken',
      error_code: 'stream_interrupted',
    })
  })

  it('ends it, where the end of the connection is the end of the body', async () => {
    provider.next({ framing: 'close', body: 'as much as there is' })
    const { response } = await rawRequest({ port: gateway.port, send: get('/close-delimited') })
    expect(response.body.toString()).toBe('as much as there is')
    expect(response.complete).toBe(true)
  })

  it('by a reset is no end, also where the end of the connection is the end of the body', async () => {
    provider.next({ framing: 'close', fault: { kind: 'reset', at: { bytes: 5_000 } } })
    const { response, ended } = await send(get('/bytes/100000'))
    expect(response.complete).toBe(false)
    expect(ended).toBe('reset')
  })

  it('with events on a service route is a reset too', async () => {
    provider.next({ fault: { kind: 'close', at: { events: 3 } } })
    const { response, ended } = await send(post('/any/v1/chat/completions', stream))
    expect(response.body.toString().split('\n\n')).toHaveLength(4)
    expect(response.complete).toBe(false)
    expect(ended).toBe('reset')
  })
})
