import { describe, expect, it } from 'vitest'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Protocol, RouteCacheSettings, Scope } from '../config/settings.ts'
import { keepTerms } from './storable.ts'

const settings: RouteCacheSettings = {
  ...{ ttl: 60_000, stale: 10_000, staleOnError: 30_000, scope: 'key', vary: [], methods: ['GET'] },
}

function head(more: Record<string, string> = {}, status = 200, stream = false): AnswerHead {
  const headers = Object.entries({ 'content-type': 'application/json', ...more }).flat()
  return { ...{ status, message: '', headers, upstream: 'up', attempts: 1, stream } }
}

function terms(answer: AnswerHead, protocol: Protocol = 'openai', scope: Scope = 'key') {
  const covers = (header: string): boolean => header === 'accept' || header === 'cookie'
  return keepTerms(answer, { protocol, cache: { ...settings, scope }, covers })
}

const whole = { freshMs: 60_000, staleMs: 10_000, errorMs: 30_000 }

describe('keepTerms', () => {
  it('keeps a 200 for as long as the route says, and nothing else', () => {
    expect(terms(head())).toEqual(whole)
    for (const status of [201, 204, 206, 301, 304, 400, 404, 429, 500]) {
      expect([status, terms(head({}, status))]).toEqual([status, undefined])
    }
  })

  it.each<Protocol>(['openai', 'http'])(
    'keeps nothing against the word of a %s upstream',
    (protocol) => {
      expect(terms(head({ 'cache-control': 'no-store' }), protocol)).toBeUndefined()
      expect(terms(head({ 'cache-control': 'private' }), protocol)).toEqual(whole)
      expect(terms(head({ 'cache-control': 'private' }), protocol, 'user')).toEqual(whole)
      expect(terms(head({ 'cache-control': 'private' }), protocol, 'public')).toBeUndefined()
      expect(terms(head({ vary: '*' }), protocol)).toBeUndefined()
      expect(terms(head({ vary: 'accept, user-agent' }), protocol)).toBeUndefined()
      expect(terms(head({ vary: 'accept, , cookie' }), protocol)).toEqual(whole)
    },
  )

  it('keeps no answer of a plain service that sets a cookie or has to be asked about', () => {
    expect(terms(head({ 'set-cookie': 'a=1' }), 'http')).toBeUndefined()
    expect(terms(head({ 'cache-control': 'no-cache' }), 'http')).toBeUndefined()
    expect(terms(head({ 'cache-control': 'must-revalidate' }), 'http')).toEqual({
      ...{ freshMs: 60_000, staleMs: 0, errorMs: 0 },
    })
  })

  it('takes what AI providers say of every answer for what it is', () => {
    expect(terms(head({ 'set-cookie': '__cf_bm=1' }))).toEqual(whole)
    expect(terms(head({ 'cache-control': 'no-cache, must-revalidate' }))).toEqual(whole)
  })

  it('lets the upstream shorten the time, and never lengthen it', () => {
    const freshMs = (headers: Record<string, string>, scope: Scope = 'key') =>
      terms(head(headers), 'http', scope)?.freshMs
    expect(freshMs({ 'cache-control': 'max-age=10' })).toBe(10_000)
    expect(freshMs({ 'cache-control': 'max-age=1000' })).toBe(60_000)
    expect(freshMs({ 'cache-control': 'max-age=10', age: '4' })).toBe(6_000)
    for (const age of ['10', '10, 1', '9'.repeat(400)]) {
      expect(freshMs({ 'cache-control': 'max-age=10', age })).toBeUndefined()
    }
    expect(freshMs({ 'cache-control': 'max-age=0' })).toBeUndefined()
    expect(freshMs({ 'cache-control': 'max-age=10, s-maxage=20' })).toBe(10_000)
    expect(freshMs({ 'cache-control': 'max-age=10, s-maxage=20' }, 'public')).toBe(20_000)
    const date = 'Sat, 21 Nov 2026 20:00:00 GMT'
    expect(freshMs({ date, expires: 'Sat, 21 Nov 2026 20:00:05 GMT' })).toBe(5_000)
    expect(freshMs({ date, expires: '0' })).toBeUndefined()
    expect(freshMs({ date, expires: '0', 'cache-control': 'max-age=10' })).toBe(10_000)
  })
})
