import { type Provider, type RunningGateway, rawRequest, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chunk } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayTo(`${provider.url}/v1`, { protocol: 'openai' })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

const streamed = JSON.stringify({ model: 'm', stream: true, messages: [] })

/** A request as an HTTP/1.0 client writes it. */
function old(line: string, fields: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`content-length: ${body.length}`]
  return `${[`${line} HTTP/1.0`, ...fields, ...length].join('\r\n')}\r\n\r\n${body}`
}

describe('an HTTP/1.0 client', () => {
  it('gets one answer and the end of its connection', async () => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: old('GET /v1/echo') + old('GET /v1/echo'),
      responses: 2,
    })
    expect(response.status).toBe(200)
    expect(response.header('connection')).toBe('close')
    expect(ended).toBe('closed')
    expect(provider.hits).toBe(1)
    expect(provider.lastRequest.httpVersion).toBe('1.1')
  })

  it('keeps its connection where it asks to and the length is known', async () => {
    const keep = ['connection: keep-alive']
    const { responses } = await rawRequest({
      port: gateway.port,
      send: old('GET /v1/echo/1', keep) + old('GET /v1/echo/2', keep),
      responses: 2,
    })
    expect(responses.map(({ status }) => status)).toEqual([200, 200])
    expect(responses[0]?.header('connection')).toBe('keep-alive')
    expect(responses[0]?.framing).toBe('length')
  })

  it('is never sent chunks: the end of the connection is the end of the body', async () => {
    for (const keep of [[], ['connection: keep-alive']]) {
      const { response, ended, text } = await rawRequest({
        port: gateway.port,
        send: old('POST /v1/chat/completions', keep, streamed),
        responses: 2,
      })
      expect(response.header('transfer-encoding')).toBeUndefined()
      expect(response.header('connection')).toBe('close')
      expect(ended).toBe('closed')
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
      expect(text).not.toMatch(/\r\n[0-9a-f]+\r\n/)
    }
  })

  it('is told nothing before its answer', async () => {
    provider.next({ earlyHints: '</style.css>; rel=preload' })
    const { response } = await rawRequest({ port: gateway.port, send: old('GET /v1/echo') })
    expect(response.informational).toEqual([])
    const { response: uploaded } = await rawRequest({
      port: gateway.port,
      send: old('POST /v1/echo', ['expect: 100-continue'], 'x'),
    })
    expect(uploaded.status).toBe(200)
    expect(uploaded.informational).toEqual([])
  })

  it('is reset when its close-delimited answer breaks', async () => {
    provider.next({ fault: { kind: 'close', at: { bytes: 5_000 } }, framing: 'chunked' })
    const { ended } = await rawRequest({
      port: gateway.port,
      send: old('GET /v1/bytes/100000'),
      responses: 2,
    })
    expect(ended).toBe('reset')
  })

  it('can say nothing in chunks', async () => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: old('POST /v1/echo', ['transfer-encoding: chunked']) + chunk('abc') + chunk(''),
      responses: 2,
    })
    if (response.status === 200) expect(provider.lastRequest.text).toBe('abc')
    else expect(response.status).toBe(400)
    expect(ended).toBe('closed')
  })
})
