import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isKeyed, requestKey } from './request-key.ts'

const get = (url: string, headers: Record<string, string | string[] | undefined> = {}) =>
  requestKey({ method: 'GET', url, headers })

describe('requestKey', () => {
  it('is one for the same request in another spelling', () => {
    expect(get('/a', { Accept: 'text/html', 'X-B': '1' })).toBe(
      requestKey({ method: 'get', url: '/a', headers: { 'x-b': '1', accept: 'text/html' } }),
    )
    expect(get('/a', { gone: undefined })).toBe(get('/a'))
  })

  it('leaves out what only traces a call', () => {
    expect(get('/a', { traceparent: '00-1', 'X-Request-Id': '7' })).toBe(get('/a'))
    expect([isKeyed('X-Request-ID'), isKeyed('Accept')]).toEqual([false, true])
  })

  it('tells callers, tenants, methods and URLs apart', () => {
    const keys = [
      get('/a'),
      get('/b'),
      get('/a?x=1'),
      requestKey({ method: 'HEAD', url: '/a', headers: {} }),
      get('/a', { authorization: 'Bearer one' }),
      get('/a', { authorization: 'Bearer two' }),
      get('/a', { 'x-tenant': 'one' }),
      get('/a', { cookie: 'one' }),
      get('/a', { range: 'bytes=0-1' }),
      get('/a', { accept: 'a,b' }),
      get('/a', { accept: ['a', 'b'] }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('differs whenever two requests differ in their headers', () => {
    const headers = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string())
    fc.assert(
      fc.property(headers, headers, (one, other) => {
        const sorted = (entries: object) => JSON.stringify(Object.entries(entries).sort())
        expect(get('/', one) === get('/', other)).toBe(sorted(one) === sorted(other))
      }),
    )
  })

  it('is none for what must not be shared, and tells no credential', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      expect(requestKey({ method, url: '/', headers: {} })).toBeUndefined()
    }
    expect(requestKey({ method: 'GET', url: '/', headers: {}, hasBody: true })).toBeUndefined()
    expect(get('/', { Upgrade: 'websocket' })).toBeUndefined()
    expect(get('/', { authorization: 'Bearer secret' })).not.toContain('secret')
  })
})
