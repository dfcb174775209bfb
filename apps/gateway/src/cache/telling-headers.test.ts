import { describe, expect, it } from 'vitest'
import { TellingHeaders } from './telling-headers.ts'

const ai = new TellingHeaders('openai', ['x-team'])
const http = new TellingHeaders('http', [])

describe('TellingHeaders', () => {
  it('tells by what changes an answer, in one order and spelling', () => {
    const raw = [
      'X-Team',
      'a',
      'User-Agent',
      'u',
      'OpenAI-Beta',
      'b',
      'Accept',
      'text/plain',
      'x-team',
      'c',
    ]
    expect(ai.of(raw, true)).toEqual([
      'accept',
      'text/plain',
      'openai-beta',
      'b',
      'x-team',
      'a',
      'x-team',
      'c',
    ])
  })

  it('takes who accepts whatever comes for who says nothing', () => {
    expect(ai.of(['accept', '*/*'], true)).toEqual([])
    expect(ai.of(['accept', 'application/json'], true)).toEqual([])
    expect(http.of(['accept', '*/*'], true)).toEqual([])
    expect(http.of(['accept', 'application/json'], true)).toHaveLength(2)
  })

  it('leaves the type of a body aside that is known', () => {
    const raw = ['content-type', 'application/json']
    expect(ai.of(raw, true)).toEqual([])
    expect(ai.of(raw, false)).toEqual(raw)
  })

  it('counts what an upstream may go by where there are two of them', () => {
    const types = ['content-type', 'application/json', 'Content-Type', 'text/plain']
    expect(ai.of(types, true)).toEqual(types.map((each) => each.toLowerCase()))
    expect(http.of(['accept', '*/*', 'accept', 'text/html'], false)).toHaveLength(4)
  })

  it('counts how a body is coded', () => {
    expect(ai.of(['content-encoding', 'gzip'], true)).toHaveLength(2)
  })

  it('takes a name with underscores for the one with hyphens, as some upstreams do', () => {
    expect(ai.of(['OpenAI_Organization', 'o'], true)).toEqual(['openai-organization', 'o'])
    expect(ai.of(['X_Team', 'a'], true)).toEqual(['x-team', 'a'])
    expect(new TellingHeaders('http', ['x_team']).of(['X-Team', 'a'], true)).toHaveLength(2)
  })

  it('counts on plain services alone the languages, and what frameworks take for the method or the path', () => {
    for (const name of ['accept-language', 'x-http-method-override', 'x-original-url']) {
      expect(http.of([name, 'de'], false)).toHaveLength(2)
      expect(ai.of([name, 'de'], false)).toEqual([])
    }
  })

  it('keeps what says for which organisation a provider is asked', () => {
    const raw = ['openai-organization', 'o', 'openai-project', 'p']
    expect(ai.lasting(raw)).toEqual(raw)
  })

  it.each([
    ...['x-user-id', 'x-auth-token', 'x-tenant', 'x-session-id', 'x-csrf-token', 'x-org-id'],
    ...['x-goog-api-key', 'apikey', 'ocp-apim-subscription-key', 'x-ms-client-principal-id'],
    ...['x-client-cert', 'x-role', 'x-workspace', 'cf-access-jwt-assertion'],
  ])('counts %s, and keeps it no longer than the request', (name) => {
    expect(http.of([name, '1'], false)).toEqual([name, '1'])
    expect(http.lasting([name, '1', 'accept', 'a'])).toEqual(['accept', 'a'])
  })

  it.each([
    ...['user-agent', 'authorization', 'cookie', 'host', 'connection', 'x-stainless-os'],
    ...['idempotency-key', 'x-idempotency-key', 'x-request-id', 'traceparent'],
  ])('leaves %s to others, or aside', (name) => {
    expect(ai.of([name, '1'], false)).toEqual([])
  })

  it('covers what counts, what is in the scope, and what is always asked for alike', () => {
    const covered = ['Accept', 'Origin', 'Cookie', 'Authorization', 'Accept-Encoding', 'X-Team']
    for (const name of covered) expect([name, ai.covers(name)]).toEqual([name, true])
    for (const name of ['user-agent', 'referer', 'x-other']) expect(ai.covers(name)).toBe(false)
  })

  it('remembers no more names than clients may invent', () => {
    const headers = new TellingHeaders('http', [])
    for (let i = 0; i < 2_000; i += 1) headers.of([`x-${i}`, '1'], false)
    expect(headers.of(['X-User', '1'], false)).toEqual(['x-user', '1'])
  })
})
