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

  it('counts languages on plain services alone', () => {
    expect(http.of(['accept-language', 'de'], false)).toHaveLength(2)
    expect(ai.of(['accept-language', 'de'], false)).toEqual([])
  })

  it.each(['x-user-id', 'x-auth-token', 'x-tenant', 'x-session-id', 'x-csrf-token'])(
    'counts %s, and keeps it no longer than the request',
    (name) => {
      expect(http.of([name, '1'], false)).toEqual([name, '1'])
      expect(http.lasting([name, '1', 'accept', 'a'])).toEqual(['accept', 'a'])
    },
  )

  it.each(['user-agent', 'authorization', 'cookie', 'host', 'connection', 'x-stainless-os'])(
    'leaves %s to others, or aside',
    (name) => {
      expect(ai.of([name, '1'], false)).toEqual([])
    },
  )

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
