import { describe, expect, it } from 'vitest'
import { clientEnding, clientSpan, routed, serverEnding, serverSpan } from './http-spans.ts'

const defined = (attributes: object | undefined): object =>
  Object.fromEntries(Object.entries(attributes ?? {}).filter(([, value]) => value !== undefined))

describe('serverSpan', () => {
  it('names the span by method and route, and says what came', () => {
    const span = serverSpan({
      ...{ method: 'POST', path: '/v1/chat?key=secret', scheme: 'https', route: '/v1/**' },
      ...{ serverAddress: 'gate.example', serverPort: 443, clientAddress: '192.0.2.1' },
      ...{ userAgent: 'curl/8', protocolVersion: '1.1' },
    })
    expect(span).toMatchObject({ name: 'POST /v1/**', kind: 'server' })
    expect(defined(span.attributes)).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/**',
      'url.path': '/v1/chat',
      'url.scheme': 'https',
      'server.address': 'gate.example',
      'server.port': 443,
      'client.address': '192.0.2.1',
      'user_agent.original': 'curl/8',
      'network.protocol.version': '1.1',
    })
  })

  it('never has a path, or a method that nobody knows, in the name', () => {
    expect(serverSpan({ method: 'GET', path: '/a/b' }).name).toBe('GET')
    const strange = serverSpan({ method: `X${'Y'.repeat(100)}`, path: '/' })
    expect(strange.name).toBe('HTTP')
    expect(strange.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': `X${'Y'.repeat(31)}`,
    })
  })

  it('records no query, no fragment and no endless path', () => {
    const pathOf = (path: string): unknown =>
      serverSpan({ method: 'GET', path }).attributes?.['url.path']
    expect(pathOf('/a#secret')).toBe('/a')
    expect(pathOf('/a?secret#secret')).toBe('/a')
    expect(pathOf(`/${'x'.repeat(5_000)}`)).toBe(`/${'x'.repeat(1_023)}`)
  })
})

describe('routed', () => {
  it('says the route once it is known', () => {
    expect(routed('GET', '/health')).toEqual({
      name: 'GET /health',
      attributes: { 'http.route': '/health' },
    })
  })
})

describe('clientSpan', () => {
  it('says where a request goes, without credentials and query', () => {
    const url = 'https://user:secret@api.example/v1/chat?key=secret#secret'
    const span = clientSpan({ method: 'POST', url, resendCount: 2 })
    expect(span).toMatchObject({ name: 'POST', kind: 'client' })
    expect(defined(span.attributes)).toEqual({
      'http.request.method': 'POST',
      'url.full': 'https://api.example/v1/chat',
      'server.address': 'api.example',
      'server.port': 443,
      'http.request.resend_count': 2,
    })
  })

  it('says nothing of a first try, and the port as it is', () => {
    const span = clientSpan({ method: 'GET', url: 'http://[::1]:8080/' })
    expect(span.attributes).toMatchObject({ 'server.address': '::1', 'server.port': 8080 })
    expect(defined(span.attributes)).not.toHaveProperty('http.request.resend_count')
    expect(clientSpan({ method: 'GET', url: 'no url' }).attributes).toMatchObject({
      'url.full': undefined,
    })
  })
})

describe('serverEnding', () => {
  it.each([
    [200, undefined, undefined],
    [404, undefined, undefined],
    [499, undefined, undefined],
    [500, undefined, '500'],
    [200, 'upstream_broken', 'upstream_broken'],
    [undefined, 'client_gone', 'client_gone'],
    [undefined, undefined, undefined],
  ])('of status %s with %s is an error of type %s', (status, code, error) => {
    expect(serverEnding(status, code)).toEqual({
      ...(status !== undefined && { attributes: { 'http.response.status_code': status } }),
      ...(error !== undefined && { error }),
    })
  })
})

describe('clientEnding', () => {
  it('is an error from 400 on', () => {
    expect(clientEnding(302)).not.toHaveProperty('error')
    expect(clientEnding(429)).toMatchObject({ error: '429' })
    expect(clientEnding(undefined, 'ECONNRESET')).toEqual({ error: 'ECONNRESET' })
  })
})
