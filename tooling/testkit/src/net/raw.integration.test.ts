import { describe, expect, it } from 'vitest'
import { connectRaw } from './raw-connection.ts'
import { rawRequest } from './raw-request.ts'
import { rawUpstream } from './raw-upstream.ts'

const get = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

describe('rawUpstream', () => {
  it('records the exact bytes and sends the exact reply', async () => {
    const reply = 'HTTP/1.1 299 Odd\r\nX-Twice: 1\r\nX-Twice: 2\r\ncontent-length: 1\r\n\r\n!'
    await using upstream = await rawUpstream({ reply })
    const sent = 'POST /a?b=%20c HTTP/1.1\r\nHoSt: x\r\ncontent-length: 3\r\n\r\n\u0000\u0001\u0002'
    const exchange = await rawRequest({ port: upstream.port, send: sent })
    expect(exchange.text).toBe(reply)
    expect(exchange.ended).toBe('answered')
    expect(upstream.received.toString('latin1')).toBe(sent)
    expect(upstream.requests[0]?.rawHeaders[0]).toEqual(['HoSt', 'x'])
  })

  it('answers each request of a connection', async () => {
    await using upstream = await rawUpstream({
      reply: (request, index) =>
        `HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${index} ${request.startLine.slice(0, 7)}`,
    })
    const exchange = await rawRequest({ port: upstream.port, send: get + get, responses: 2 })
    expect(exchange.responses.map((one) => one.body.toString())).toEqual(['0 GET / H', '1 GET / H'])
    expect(upstream.connections).toHaveLength(1)
  })

  it('answers before the body when told to', async () => {
    await using upstream = await rawUpstream({ replyAfter: 'head' })
    const head = 'POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n'
    const exchange = await rawRequest({ port: upstream.port, send: head })
    expect(exchange.response.status).toBe(200)
  })

  it('resets or closes after the reply', async () => {
    for (const [then, ended] of [
      ['reset', 'reset'],
      ['close', 'closed'],
    ] as const) {
      await using upstream = await rawUpstream({ reply: 'HTTP/1.1 200 OK\r\n', then })
      const exchange = await rawRequest({ port: upstream.port, send: get })
      expect(exchange.ended).toBe(ended)
    }
  })

  it('notices how its peer leaves', async () => {
    await using upstream = await rawUpstream({ reply: null })
    await using polite = await connectRaw({ port: upstream.port })
    await using rude = await connectRaw({ port: upstream.port })
    await upstream.waitForConnection(1)
    polite.halfClose()
    rude.reset()
    const endings = await Promise.all(upstream.connections.map((one) => one.ended))
    expect(endings.sort()).toEqual(['closed', 'reset'])
  })
})

describe('rawRequest', () => {
  it('sends its steps one by one', async () => {
    await using upstream = await rawUpstream()
    const { promise, resolve } = Promise.withResolvers<void>()
    const exchange = rawRequest({
      port: upstream.port,
      send: ['GET / HT', { waitFor: promise }, 'TP/1.1\r\n', '\r\n'],
    })
    const connection = await upstream.waitForConnection()
    const early = await connection.waitFor('GET / HT')
    expect(early.toString()).toBe('GET / HT')
    resolve()
    expect((await exchange).response.body.toString()).toBe('ok')
  })

  it('reads on after a half-close', async () => {
    await using upstream = await rawUpstream()
    const exchange = await rawRequest({ port: upstream.port, send: get, halfClose: true })
    expect(exchange.response.status).toBe(200)
    expect(await upstream.connections[0]?.ended).toBe('closed')
  })

  it('waits for bytes of the server between two of its own', async () => {
    await using upstream = await rawUpstream()
    const send = [get, { untilReceived: 'ok' }, get]
    const exchange = await rawRequest({ port: upstream.port, send, responses: 2 })
    expect(exchange.responses).toHaveLength(2)
  })

  it('says that the time was up, and refuses to invent a response', async () => {
    await using upstream = await rawUpstream({ reply: null })
    const exchange = await rawRequest({ port: upstream.port, send: get, timeoutMs: 30 })
    expect(exchange.ended).toBe('timed-out')
    expect(() => exchange.response).toThrow('no response came (timed-out)')
  })

  it('takes a response to HEAD as complete without its body', async () => {
    await using upstream = await rawUpstream({
      reply: 'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n',
    })
    const send = 'HEAD / HTTP/1.1\r\nhost: x\r\n\r\n'
    const exchange = await rawRequest({ port: upstream.port, send })
    expect(exchange.ended).toBe('answered')
    expect(exchange.response.header('Content-Length')).toBe('7')
  })

  it('rejects when nobody listens', async () => {
    const upstream = await rawUpstream()
    const { port } = upstream
    await upstream[Symbol.asyncDispose]()
    await expect(rawRequest({ port, send: get })).rejects.toThrow('ECONNREFUSED')
  })
})
