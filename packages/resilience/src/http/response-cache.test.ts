import { describe, expect, it } from 'vitest'
import { cacheLifetimeMs, mayAnswerFromCache } from './response-cache.ts'

const lifetime = (
  responseHeaders: Record<string, string | string[]>,
  rest: { method?: string; status?: number; requestHeaders?: Record<string, string> } = {},
) => cacheLifetimeMs({ method: 'GET', status: 200, requestHeaders: {}, responseHeaders, ...rest })

describe('cacheLifetimeMs', () => {
  it.each([
    ['max-age=60', 60_000],
    ['Public, MAX-AGE="60"', 60_000],
    ['max-age=60, s-maxage=10', 10_000],
    ['s-maxage=0, max-age=60', undefined],
    ['max-age=60, max-age=5', 5_000],
    ['max-age=60, max-age=oops', undefined],
    ['max-age=999999999999', 365 * 86_400_000],
    ['max-age = 60', 60_000],
    ['max-age=0', undefined],
    ['max-age=-1', undefined],
    ['max-age=1.5', undefined],
    ['max-age', undefined],
    ['x-max-age=60', undefined],
    ['', undefined],
    ['no-store, max-age=60', undefined],
    ['no-cache, max-age=60', undefined],
    ['private, max-age=60', undefined],
    ['private="set-cookie", max-age=60', undefined],
    ['ext="no-store", max-age=60', 60_000],
  ])('reads %j', (cacheControl, expected) => {
    expect(lifetime({ 'cache-control': cacheControl })).toBe(expected)
  })

  it('takes off the age that a response comes with', () => {
    expect(lifetime({ 'cache-control': 'max-age=60', age: '20' })).toBe(40_000)
    expect(lifetime({ 'cache-control': 'max-age=60', age: '60' })).toBeUndefined()
  })

  it('keeps nothing but a whole 200 to a GET', () => {
    const headers = { 'cache-control': 'max-age=60' }
    for (const method of ['HEAD', 'POST', 'DELETE']) {
      expect(lifetime(headers, { method })).toBeUndefined()
    }
    for (const status of [201, 204, 206, 301, 304, 404, 500]) {
      expect(lifetime(headers, { status })).toBeUndefined()
    }
    expect(lifetime(headers, { requestHeaders: { 'cache-control': 'no-store' } })).toBeUndefined()
    expect(lifetime({ ...headers, 'set-cookie': ['a=b'] })).toBeUndefined()
  })

  it('keeps what varies on what the key holds, and nothing that varies on more', () => {
    const headers = { 'cache-control': 'max-age=60' }
    expect(lifetime({ ...headers, vary: 'Accept, accept-encoding' })).toBe(60_000)
    expect(lifetime({ ...headers, vary: '*' })).toBeUndefined()
    expect(lifetime({ ...headers, vary: ['Accept', '*'] })).toBeUndefined()
    expect(lifetime({ ...headers, vary: 'X-Request-Id' })).toBeUndefined()
  })
})

describe('mayAnswerFromCache', () => {
  it('is for a GET that does not ask for a fresh or a partial answer', () => {
    expect(mayAnswerFromCache('GET', {})).toBe(true)
    expect(mayAnswerFromCache('get', { 'cache-control': 'max-age=10' })).toBe(true)
    for (const value of ['no-cache', 'no-store', 'max-age=0']) {
      expect(mayAnswerFromCache('GET', { 'cache-control': value })).toBe(false)
    }
    expect(mayAnswerFromCache('GET', { range: 'bytes=0-1' })).toBe(false)
    expect(mayAnswerFromCache('POST', {})).toBe(false)
  })
})
