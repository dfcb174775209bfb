import type { RunningGateway } from '@tidegate/testkit'
import { connectRaw, type RawUpstream, rawRequest, rawUpstream } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunk, get, head, post, reply } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let upstream: RawUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await rawUpstream({
    reply: (request) => reply('200 OK', [], `${request.startLine}|${request.body}`),
  })
  gateway = await gatewayTo(upstream.url)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** The requests that arrived for `path`, oldest first. */
function arrived(path: string) {
  return upstream.requests.filter(({ startLine }) => startLine.split(' ')[1] === path)
}

describe('a request on the wire', () => {
  it('reaches the upstream as exactly these bytes', async () => {
    await using own = await rawUpstream()
    await using alone = await gatewayTo(own.url)
    const fields = ['Accept: */*', 'X-Mixed-Case: a  b', 'x-twice: 1', 'X-Twice: 2', 'x-empty:']
    await rawRequest({
      port: alone.port,
      send: post('/a?b=c', '{"d":1}', ...fields, 'x-request-id: exact'),
    })
    expect(own.received.toString('latin1')).toBe(
      [
        'POST /a?b=c HTTP/1.1',
        `host: 127.0.0.1:${own.port}`,
        'connection: keep-alive',
        'Accept: */*',
        'X-Mixed-Case: a  b',
        'x-twice: 1',
        'X-Twice: 2',
        'x-empty: ',
        'x-request-id: exact',
        'x-forwarded-for: 127.0.0.1',
        'x-forwarded-proto: http',
        'x-forwarded-host: gateway.test',
        'content-length: 7',
        '',
        '{"d":1}',
      ].join('\r\n'),
    )
  })

  it('may come one byte at a time', async () => {
    const bytes = [...Buffer.from(post('/bytewise', 'slow but whole'))]
    const { response } = await rawRequest({
      port: gateway.port,
      send: bytes.map((byte) => Uint8Array.of(byte)),
    })
    expect(response.status).toBe(200)
    expect(response.body.toString()).toBe('POST /bytewise HTTP/1.1|slow but whole')
    expect(arrived('/bytewise')).toHaveLength(1)
  })

  it('may have its chunks cut anywhere', async () => {
    const body = `${chunk('hello ')}${chunk('cut')}${chunk(' world')}${chunk('')}`
    const text = head('POST /cut', 'transfer-encoding: chunked') + body
    for (let size = 1; size <= 11; size += 2) {
      const pieces = Buffer.from(text)
        .toString('latin1')
        .match(new RegExp(`.{1,${size}}`, 'gs'))
      const { response } = await rawRequest({ port: gateway.port, send: pieces ?? [] })
      expect(response.body.toString()).toBe('POST /cut HTTP/1.1|hello cut world')
    }
  })

  it('may follow others without waiting, and each gets its own answer in order', async () => {
    const { responses, ended } = await rawRequest({
      port: gateway.port,
      send:
        post('/first', 'one') +
        head('POST /second', 'transfer-encoding: chunked') +
        chunk('two') +
        chunk('') +
        get('/third'),
      responses: 3,
    })
    expect(ended).toBe('answered')
    expect(responses.map(({ body }) => body.toString())).toEqual([
      'POST /first HTTP/1.1|one',
      'POST /second HTTP/1.1|two',
      'GET /third HTTP/1.1|',
    ])
  })

  it('keeps a body on GET and DELETE', async () => {
    for (const method of ['GET', 'DELETE']) {
      const { response } = await rawRequest({
        port: gateway.port,
        send: `${head(`${method} /body`, 'content-length: 4')}ping`,
      })
      expect(response.body.toString()).toBe(`${method} /body HTTP/1.1|ping`)
    }
  })

  it('declares an empty body for a POST without one', async () => {
    await rawRequest({ port: gateway.port, send: head('POST /nothing') })
    expect(arrived('/nothing')[0]).toMatchObject({ framing: 'length' })
    expect(arrived('/nothing')[0]?.headers.get('content-length')).toEqual(['0'])
  })
})

describe('a body whose end can be read in two ways', () => {
  const smuggled = '0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: gateway.test\r\n\r\n'

  it.each([
    ['a length and chunks', ['content-length: 6', 'transfer-encoding: chunked']],
    ['chunks and a length', ['transfer-encoding: chunked', 'content-length: 6']],
    ['two lengths', ['content-length: 5', 'content-length: 6']],
    ['the same length twice', ['content-length: 5', 'content-length: 5']],
    ['a list of lengths', ['content-length: 5, 5']],
    ['a negative length', ['content-length: -5']],
    ['a signed length', ['content-length: +5']],
    ['a hexadecimal length', ['content-length: 0x5']],
    ['a length of words', ['content-length: five']],
    ['an empty length', ['content-length:']],
    ['a length past all numbers', ['content-length: 99999999999999999999999']],
    ['identity', ['transfer-encoding: identity', 'content-length: 5']],
    ['chunked, then identity', ['transfer-encoding: chunked, identity']],
    ['an unknown coding alone', ['transfer-encoding: xchunked']],
    ['a coding with a blank before the colon', ['transfer-encoding : chunked']],
    ['a coding behind a control character', ['transfer-encoding: \u000bchunked']],
    ['a folded coding', ['transfer-encoding:\r\n chunked', 'content-length: 5']],
  ])('is refused: %s', async (_, fields) => {
    const { response, ended, responses } = await rawRequest({
      port: gateway.port,
      send: head('POST /ambiguous', ...fields) + smuggled,
      responses: 2,
    })
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).toBeLessThan(500)
    expect(response.header('connection')).toBe('close')
    expect(response.header('content-type')).toBe('application/json')
    expect(responses).toHaveLength(1)
    expect(ended).toBe('closed')
    expect(arrived('/ambiguous')).toEqual([])
    expect(arrived('/smuggled')).toEqual([])
  })

  it.each([
    ['no number', 'xyz\r\nhello\r\n0\r\n\r\n'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size past all numbers', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
    ['a blank in front', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a bare line feed', '5\nhello\r\n0\r\n\r\n'],
    ['more than it said', '3\r\nhello\r\n0\r\n\r\n'],
  ])('is refused for the size of a chunk: %s', async (_, body) => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(head('POST /bad-chunk', 'transfer-encoding: chunked') + body + smuggled)
    await connection.ended
    const text = connection.received.toString('latin1')
    expect(text).not.toContain('200 OK')
    if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(arrived('/bad-chunk').filter(({ complete }) => complete)).toEqual([])
    expect(arrived('/smuggled')).toEqual([])
  })

  it('passes on the data of chunks, and neither their extensions nor their trailers', async () => {
    const body = '5;name=value;q="1 2"\r\nhello\r\n0;last\r\nx-trailer: secret\r\n\r\n'
    const { response } = await rawRequest({
      port: gateway.port,
      send: head('POST /extended', 'transfer-encoding: chunked', 'trailer: x-trailer') + body,
    })
    expect(response.status).toBe(200)
    expect(arrived('/extended')[0]?.body.toString()).toBe('hello')
    expect(upstream.received.includes('name=value')).toBe(false)
    expect(upstream.received.includes('x-trailer')).toBe(false)
  })

  it('is refused when its chunk extensions are endless', async () => {
    const body = `5;${'a'.repeat(32 * 1024)}\r\nhello\r\n0\r\n\r\n`
    const { response } = await rawRequest({
      port: gateway.port,
      send: head('POST /endless', 'transfer-encoding: chunked') + body,
    })
    expect(response.status).toBe(413)
    expect(response.header('connection')).toBe('close')
    expect(arrived('/endless').filter(({ complete }) => complete)).toEqual([])
  })
})
