import {
  connectRaw,
  type Provider,
  type RunningGateway,
  rawRequest,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chunk, get, head } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayTo(provider.url, {
    server: { bodyLimit: '100kb', timeouts: { headers: '300ms', body: '300ms' } },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

const limit = 100 * 1024

async function statusLogged(id: string | undefined): Promise<unknown> {
  const line = await gateway.waitForLog(
    ({ message, request_id }) => message === 'request' && request_id === id,
  )
  return line.status_code
}

describe('a body of declared length', () => {
  it('may be as large as the limit and not a byte larger', async () => {
    const exact = await rawRequest({
      port: gateway.port,
      send: head('POST /echo', `content-length: ${limit}`) + 'x'.repeat(limit),
    })
    expect(exact.response.status).toBe(200)
    expect(provider.lastRequest.body).toHaveLength(limit)
    const over = await rawRequest({
      port: gateway.port,
      send: head('POST /echo', `content-length: ${limit + 1}`),
    })
    expect(over.response.status).toBe(413)
    expect(provider.hits).toBe(1)
  })

  it('is refused by its declaration alone, before a byte of it has come', async () => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: head('POST /echo', 'content-length: 9007199254740991'),
    })
    expect(ended).toBe('answered')
    expect(response.status).toBe(413)
    expect(JSON.parse(response.body.toString())).toMatchObject({
      code: 'payload_too_large',
      error: { type: 'invalid_request_error' },
    })
    expect(await statusLogged(response.header('x-request-id'))).toBe(413)
    expect(provider.hits).toBe(0)
  })

  it('whose refusal the client does not wait for does not become the next request', async () => {
    const body = `${'x'.repeat(limit)}${get('/smuggled')}`
    await rawRequest({
      port: gateway.port,
      send: head('POST /echo', `content-length: ${body.length}`) + body,
      responses: 2,
      timeoutMs: 1_000,
    })
    expect(provider.hits).toBe(0)
  })
})

describe('a chunked body', () => {
  it('may be as large as the limit', async () => {
    const half = chunk('x'.repeat(limit / 2))
    const { response } = await rawRequest({
      port: gateway.port,
      send: head('POST /echo', 'transfer-encoding: chunked') + half + half + chunk(''),
    })
    expect(response.status).toBe(200)
    expect(provider.lastRequest.body).toHaveLength(limit)
  })

  it('over the limit is refused as it comes, and its upstream call is cancelled', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /echo', 'transfer-encoding: chunked'))
    await connection.write(chunk('x'.repeat(limit)))
    const seen = await provider.waitForRequest()
    await connection.write(chunk('one too many'))
    const answer = await connection.waitFor('payload_too_large')
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /)
    expect(await seen.bodyEnded).toBe(false)
    expect(seen.body.length).toBeLessThanOrEqual(limit)
  })

  it('does not make what follows it a request', async () => {
    const text = head('POST /echo', 'transfer-encoding: chunked') + chunk('x'.repeat(limit + 1))
    const { responses } = await rawRequest({
      port: gateway.port,
      send: text + chunk('') + get('/echo/next'),
      responses: 2,
      timeoutMs: 1_000,
    })
    expect(responses[0]?.status).toBe(413)
    // Either the rest was read and thrown away, or the connection was closed.
    if (responses[1] !== undefined) expect(responses[1].status).toBe(200)
    expect(provider.requests.filter(({ target }) => target === '/echo/next').length).toBe(
      responses.length - 1,
    )
  })
})

describe('a slow client', () => {
  it.each([
    ['a body read first', 'content-length: 10', 'abc'],
    ['a large body', `content-length: ${limit}`, 'abc'],
    ['a chunked body', 'transfer-encoding: chunked', chunk('abc')],
  ])('is refused with 408 when it stops in the middle of %s', async (_, framing, beginning) => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: head('POST /echo', framing) + beginning,
      responses: 2,
    })
    expect(response.status).toBe(408)
    expect(JSON.parse(response.body.toString())).toMatchObject({ code: 'request_timeout' })
    expect(await statusLogged(response.header('x-request-id'))).toBe(408)
    // What still comes can't be told from the body: no further request on this connection.
    expect(response.header('connection')).toBe('close')
    expect(ended).toBe('closed')
    expect(provider.requests.filter(({ bodyComplete }) => bodyComplete)).toEqual([])
  })

  it('that goes on sending is waited for', async () => {
    const steps = Array.from({ length: 8 }, () => [{ waitMs: 60 }, 'x']).flat()
    const { response } = await rawRequest({
      port: gateway.port,
      send: [head('POST /echo', 'content-length: 8'), ...steps],
    })
    expect(response.status).toBe(200)
    expect(provider.lastRequest.text).toBe('xxxxxxxx')
  })

  it('is refused with 408 when it stops in the middle of its head', async () => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: 'GET /echo HTTP/1.1\r\nhost: gateway.test\r\nx-never-',
      responses: 2,
    })
    expect(response.status).toBe(408)
    expect(response.header('connection')).toBe('close')
    expect(ended).toBe('closed')
  })

  it('is refused with 408 when it drips its head', async () => {
    const drip = Array.from({ length: 100 }, (_, i) => [{ waitMs: 30 }, `x-${i}: y\r\n`]).flat()
    const { response } = await rawRequest({
      port: gateway.port,
      send: ['GET /echo HTTP/1.1\r\nhost: gateway.test\r\n', ...drip],
    })
    expect(response.status).toBe(408)
  })

  it('is closed without a word when it never said one', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    expect(await connection.ended).toBe('closed')
    expect(connection.received).toHaveLength(0)
  })
})
