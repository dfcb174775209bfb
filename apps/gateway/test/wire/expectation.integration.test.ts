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

const key = 'authorization: Bearer the-only-key'
const expects = 'Expect: 100-continue'
const goAhead = 'HTTP/1.1 100 Continue\r\n\r\n'

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayTo(provider.url, {
    keys: [{ id: 'a', key: 'the-only-key' }],
    server: { bodyLimit: '100kb' },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

/** Sends a head, and the body when (and only when) told to go ahead. */
async function upload(fields: readonly string[], body: string, target = '/echo') {
  return await rawRequest({
    port: gateway.port,
    send: [head(`POST ${target}`, ...fields), { untilReceived: goAhead }, body],
  })
}

describe('a client that waits before it sends its body', () => {
  it.each([
    ['small', 'x'.repeat(10)],
    ['larger than is read ahead', 'x'.repeat(80 * 1024)],
  ])('is told to go ahead once, by us: %s', async (_, body) => {
    const { response, text } = await upload([key, expects, `content-length: ${body.length}`], body)
    expect(response.status).toBe(200)
    expect(text.startsWith(goAhead)).toBe(true)
    expect(text.split(goAhead)).toHaveLength(2)
    expect(provider.lastRequest.text).toBe(body)
    expect(provider.lastRequest.header('expect')).toBeUndefined()
  })

  it('is told so for a chunked body too', async () => {
    const body = chunk('in chunks') + chunk('')
    const { response } = await upload([key, expects, 'transfer-encoding: chunked'], body)
    expect(response.status).toBe(200)
    expect(provider.lastRequest.text).toBe('in chunks')
  })

  it('may send it without waiting', async () => {
    const { response } = await rawRequest({
      port: gateway.port,
      send: `${head('POST /echo', key, expects, 'content-length: 4')}body`,
    })
    expect(response.status).toBe(200)
    expect(provider.lastRequest.text).toBe('body')
  })

  it('gets its answer though it has no body', async () => {
    const { response } = await rawRequest({ port: gateway.port, send: get('/echo', key, expects) })
    expect(response.status).toBe(200)
    expect(provider.lastRequest.header('expect')).toBeUndefined()
  })

  it.each([
    ['without a key', ['content-length: 5'], '/echo', 401],
    ['with a wrong key', ['content-length: 5', 'x-api-key: wrong'], '/echo', 401],
    ['with too large a body', ['content-length: 200000', key], '/echo', 413],
    ['for a bad path', ['content-length: 5', key], '/a/../b', 400],
    ['for an endpoint of ours', ['content-length: 5', key], '/metrics', 403],
  ])('is refused at once, and the connection ends: %s', async (_, fields, target, status) => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head(`POST ${target}`, expects, ...fields))
    expect(await connection.ended).toBe('closed')
    const text = connection.received.toString()
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(text).toMatch(/\r\nconnection: close\r\n/i)
    expect(text).not.toContain(goAhead)
    expect(provider.hits).toBe(0)
  })

  it('is refused before the upstream is heard, when that is not there', async () => {
    await using broken = await gatewayTo('http://127.0.0.1:1')
    const { response } = await rawRequest({
      port: broken.port,
      send: [
        head('POST /x', expects, 'content-length: 5'),
        { untilReceived: 'HTTP/1.1 ' },
        '12345',
      ],
    })
    expect(response.status).toBe(502)
  })

  it('hears the upstream, which answered before the body was complete', async () => {
    provider.next({ status: 401, answerBeforeBody: true })
    await using connection = await connectRaw({ port: gateway.port })
    const large = ['content-length: 90000', key, expects]
    await connection.write(head('POST /early', ...large))
    await connection.waitFor(goAhead)
    await connection.write('only the beginning')
    const answer = await connection.waitFor('invalid_api_key')
    expect(answer.toString()).toContain('HTTP/1.1 401 ')
  })
})

describe('an expectation that is none', () => {
  it.each(['200-ok', 'a=b'])('is refused with 417: %s', async (value) => {
    const { response, ended, responses } = await rawRequest({
      port: gateway.port,
      send:
        head('POST /echo', key, `expect: ${value}`, 'content-length: 3') +
        'abc' +
        get('/echo', key),
      responses: 2,
    })
    expect(response.status).toBe(417)
    expect(response.header('connection')).toBe('close')
    expect(response.header('x-request-id')).toMatch(/^req_/)
    expect(responses).toHaveLength(1)
    expect(ended).toBe('closed')
    expect(provider.hits).toBe(0)
  })
})
