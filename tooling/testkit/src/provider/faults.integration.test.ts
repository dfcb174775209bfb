import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectRaw } from '../net/raw-connection.ts'
import { type RawExchange, rawRequest } from '../net/raw-request.ts'
import type { Behaviour } from './behaviour.ts'
import { type Provider, startProvider } from './provider.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

const messages = [{ role: 'user', content: 'Hi' }]

async function ask(
  behaviour: Behaviour,
  { path = '/v1/chat/completions', stream = true, timeoutMs = 5_000 } = {},
): Promise<RawExchange> {
  provider.next(behaviour)
  const body = JSON.stringify({ model: 'm', messages, input: 'Hi', stream })
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\ncontent-length: ${body.length}\r\n\r\n`
  return await rawRequest({ port: provider.port, send: head + body, timeoutMs })
}

const text = (exchange: RawExchange) => exchange.response.body.toString()
const eventCount = (exchange: RawExchange) => text(exchange).split('\n\n').length - 1

describe('a fault in a stream', () => {
  it('resets the connection after so many events', async () => {
    const exchange = await ask({ fault: { kind: 'reset', at: { events: 3 } } })
    expect(exchange.ended).toBe('reset')
    expect(eventCount(exchange)).toBe(3)
    expect(exchange.response.complete).toBe(false)
  })

  it('closes inside a chunked body', async () => {
    const exchange = await ask({ fault: { kind: 'close' } })
    expect(exchange.ended).toBe('closed')
    expect(exchange.response).toMatchObject({ framing: 'chunked', complete: false })
    expect(text(exchange)).toContain('fall.')
    expect(text(exchange)).not.toContain('"finish_reason":"stop"')
  })

  it('closes before content-length is reached', async () => {
    const exchange = await ask({ framing: 'length', fault: { kind: 'close', at: { bytes: 10 } } })
    expect(exchange.response).toMatchObject({ framing: 'length', complete: false })
    expect(exchange.response.body).toHaveLength(10)
  })

  it('closes a body that lasts until the close, which looks like its end', async () => {
    const exchange = await ask({ framing: 'close', fault: { kind: 'close', at: { events: 2 } } })
    expect(exchange.response).toMatchObject({ framing: 'close', complete: true })
    expect(exchange.ended).not.toBe('reset')
    expect(eventCount(exchange)).toBe(2)
  })

  it('ends in good order without the terminal marker', async () => {
    const exchange = await ask({ fault: { kind: 'stop' } })
    expect(exchange.response.complete).toBe(true)
    expect(text(exchange)).not.toContain('[DONE]')
    expect(text(exchange)).not.toContain('"finish_reason":"stop"')
    const finished = await ask({ omitDone: true })
    expect(text(finished)).toContain('"finish_reason":"stop"')
    expect(text(finished)).not.toContain('[DONE]')
  })

  it('stalls, before the headers or later', async () => {
    const silent = await ask({ fault: { kind: 'stall', at: 'before-headers' } }, { timeoutMs: 50 })
    expect(silent).toMatchObject({ ended: 'timed-out', text: '' })
    provider.next({ fault: { kind: 'stall', at: { events: 2 } } })
    await using client = await connectRaw({ port: provider.port })
    const body = JSON.stringify({ model: 'm', messages, stream: true })
    await client.write('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n')
    await client.write(`content-length: ${body.length}\r\n\r\n${body}`)
    await client.waitFor('Tides')
    await expect(client.waitFor('rise', 50)).rejects.toThrow('did not see')
    expect(client.ending).toBeNull()
  })

  it('resets or closes before and right after the headers', async () => {
    expect(await ask({ fault: { kind: 'reset', at: 'before-headers' } })).toMatchObject({
      ended: 'reset',
      text: '',
    })
    expect(await ask({ fault: { kind: 'close', at: 'before-headers' } })).toMatchObject({
      ended: 'closed',
      text: '',
    })
    const after = await ask({ fault: { kind: 'close', at: 'after-headers' } })
    expect(after.response).toMatchObject({ status: 200, complete: false })
    expect(after.response.body).toHaveLength(0)
  })

  it.each([
    ['/v1/chat/completions', 'data: {"error":{"message":'],
    ['/v1/responses', 'event: error\ndata: {"type":"error"'],
    ['/v1/messages', 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"'],
  ])("sends %s' own error event", async (path, wanted) => {
    const exchange = await ask({ fault: { kind: 'error-event', at: { events: 3 } } }, { path })
    expect(exchange.response.complete).toBe(true)
    expect(text(exchange).split('\n\n')[3]).toContain(wanted)
  })

  it('does not count as an early close of the client', async () => {
    await ask({ fault: { kind: 'reset' } })
    expect(await provider.lastRequest.closedEarly).toBeNull()
  })

  it('truncates a plain body', async () => {
    const { response } = await ask({ fault: { kind: 'close' } }, { stream: false })
    expect(response.complete).toBe(false)
    expect(response.body.length).toBe(Math.floor(Number(response.header('content-length')) / 2))
  })
})

describe('the form of a body', () => {
  it('is cut into writes that a careless reader stumbles over', async () => {
    const whole = text(await ask({ cut: 'whole' }))
    const bytewise = await ask({ cut: 1, lineEnd: '\r\n' })
    const awkward = await ask({ cut: 'awkward' })
    expect(text(bytewise).replaceAll('\r\n', '\n')).toBe(whole)
    expect(text(awkward)).toBe(whole)
    expect(bytewise.response.chunks.every((chunk) => chunk.length === 1)).toBe(true)
    expect(awkward.response.chunks.some((chunk) => chunk.at(0) === 0x0a)).toBe(true)
    expect(awkward.response.chunks.some((chunk) => ((chunk[0] ?? 0) & 0xc0) === 0x80)).toBe(true)
  })

  it('comes event by event', async () => {
    const { response } = await ask({ events: 4 })
    expect(response.chunks).toHaveLength(7)
    expect(response.chunks.every((chunk) => chunk.toString().endsWith('\n\n'))).toBe(true)
  })

  it('holds one huge event, comments and a malformed event', async () => {
    const size = 2 * 1024 * 1024
    const { response } = await ask({
      padFirstEvent: size,
      comments: true,
      insert: [{ before: 2, bytes: 'data: {"broken\n\n' }],
    })
    expect(response.body.length).toBeGreaterThan(size)
    expect(response.complete).toBe(true)
    expect(response.body.toString()).toContain('data: {"broken\n\n: keep-alive 2\n\n')
  })

  it('is compressed, each event flushed', async () => {
    const plain = text(await ask({}))
    const gzip = await ask({ encoding: 'gzip' })
    expect(gzip.response.header('content-encoding')).toBe('gzip')
    expect(gunzipSync(gzip.response.body).toString()).toBe(plain)
    expect(gzip.response.chunks.length).toBeGreaterThan(8)
    const br = await ask({ encoding: 'br' }, { stream: false })
    const message = JSON.parse(brotliDecompressSync(br.response.body).toString())
    expect(message.object).toBe('chat.completion')
  })

  it('carries trailers', async () => {
    const { response } = await ask({ trailers: { 'x-checksum': 'abc' } })
    expect(response.header('trailer')).toBe('x-checksum')
    expect(response.trailers).toEqual([['x-checksum', 'abc']])
  })

  it('follows early hints', async () => {
    const { response } = await ask({ earlyHints: '</a.css>; rel=preload' })
    expect(response.informational[0]?.startLine).toBe('HTTP/1.1 103 Early Hints')
    expect(response.informational[0]?.headers.get('link')).toEqual(['</a.css>; rel=preload'])
    expect(response.status).toBe(200)
  })

  it('is what the test gives', async () => {
    const json = await ask({ json: { own: true }, status: 201 })
    expect(json.response).toMatchObject({ status: 201 })
    expect(text(json)).toBe('{"own":true}')
    expect(text(await ask({ body: 'plain' }))).toBe('plain')
    const raw = await ask({ raw: 'HTTP/1.1 200 OK\r\nx: a\u0001b\r\n\r\n' })
    expect(raw).toMatchObject({ ended: 'answered', text: 'HTTP/1.1 200 OK\r\nx: a\u0001b\r\n\r\n' })
    expect(await ask({ raw: 'HTTP/1.1 2', rawThen: 'reset' })).toMatchObject({ ended: 'reset' })
    expect(await ask({ raw: 'HTTP/1.1 2' })).toMatchObject({ ended: 'closed', text: 'HTTP/1.1 2' })
  })

  it('waits for the test, event by event', async () => {
    const order: number[] = []
    await ask({ beforeEvent: async (index) => void order.push(index), events: 2 })
    expect(order).toEqual([0, 1, 2, 3, 4])
  })

  it('answers before the body of the request', async () => {
    provider.next({ status: 413, answerBeforeBody: true })
    const send = 'POST /v1/messages HTTP/1.1\r\nHost: x\r\ncontent-length: 99\r\n\r\nfirst'
    const { response } = await rawRequest({ port: provider.port, send })
    expect(response.status).toBe(413)
  })
})
